"""Build all distributions, try them as a user would, and say what they are made of and where they come from.

In: a folder that is made. Out, in it: a wheel and a source distribution of each, `SHA256SUMS`, `sbom.cdx.json`
(CycloneDX, of a clean environment with `rtfs-framework[standard]`) and `provenance.json` (an in-toto statement with a
SLSA predicate). Builds of one commit are equal to the byte.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from release.distributions import ROOT, ReleaseError, distributions

_TASK = "(reduce + (map (fn [n] (* n n)) [1 2 3]))"


def build(out: Path) -> list[str]:
    """Make everything; return what was done, a line each.

    Raises:
        ReleaseError: the folder is not empty, or something that was built does not work.
    """
    if out.exists() and any(out.iterdir()):
        raise ReleaseError(f"{out} is not empty: name a new folder")
    out.mkdir(parents=True, exist_ok=True)
    commit = _printed("git", "-C", str(ROOT), "rev-parse", "HEAD")
    epoch = _printed("git", "-C", str(ROOT), "log", "-1", "--format=%ct")
    all_of_them = distributions()
    for each in all_of_them:
        _run("uv", "build", "--quiet", "--out-dir", str(out), str(each.folder), env={"SOURCE_DATE_EPOCH": epoch})
    for stray in out.glob(".gitignore"):
        stray.unlink()
    made = sorted([*out.glob("*.whl"), *out.glob("*.tar.gz")])
    if len(made) != 2 * len(all_of_them):
        raise ReleaseError(f"{len(all_of_them)} distributions made {len(made)} files")
    _run(sys.executable, "-m", "twine", "check", "--strict", *map(str, made))
    told = [f"built {len(made)} files of {len(all_of_them)} distributions at {commit[:12]}"]
    told += [_try_out(out)]
    digests = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in made}
    sums = "".join(f"{digest}  {name}\n" for name, digest in digests.items())
    (out / "SHA256SUMS").write_text(sums, encoding="utf-8")
    (out / "provenance.json").write_text(json.dumps(_provenance(digests, commit), indent=2) + "\n", encoding="utf-8")
    return [*told, _signed(out)]


def _try_out(out: Path) -> str:
    """Install what users install into a clean environment, use it, and write down what is in there."""
    venv = out / ".tried"
    python = venv / ("Scripts" if os.name == "nt" else "bin") / "python"
    _run("uv", "venv", "--quiet", "--python", sys.executable, str(venv))
    wanted = f"rtfs-framework[standard] @ {next(out.glob('rtfs_framework-*.whl')).resolve().as_uri()}"
    _run("uv", "pip", "install", "--quiet", "--python", str(python), "--find-links", str(out), wanted)
    rtfs = python.with_name("rtfs")
    answer = _printed(str(rtfs), "eval", _TASK)
    if answer != "14":
        raise ReleaseError(f"`rtfs eval '{_TASK}'` printed {answer}")
    plugins = json.loads(_printed(str(rtfs), "plugins", "--json"))
    if plugins.get("problems"):
        raise ReleaseError(f"the plug-ins of [standard] have problems: {plugins['problems']}")
    _run(
        sys.executable,
        "-m",
        "cyclonedx_py",
        "environment",
        "--output-reproducible",
        "--of",
        "JSON",
        "-o",
        str(out / "sbom.cdx.json"),
        str(python),
    )
    parts = len(json.loads((out / "sbom.cdx.json").read_text(encoding="utf-8"))["components"])
    shutil.rmtree(venv)
    return f"rtfs-framework[standard] works in a clean environment of {parts} packages"


def _provenance(digests: dict[str, str], commit: str) -> dict[str, object]:
    """Return an in-toto statement (v1) about all files, with the predicate SLSA provenance (v1)."""
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": name, "digest": {"sha256": digest}} for name, digest in digests.items()],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {
            "buildDefinition": {
                "buildType": "https://rtfs-framework.example/release/v1",
                "externalParameters": {"command": "python -m release build"},
                "resolvedDependencies": [{"uri": "git+repository", "digest": {"gitCommit": commit}}],
            },
            "runDetails": {"builder": {"id": os.environ.get("RELEASE_BUILDER", "a machine without a name")}},
        },
    }


def _signed(out: Path) -> str:
    """Sign the provenance where the tool and an identity are at hand; say so either way."""
    if importlib.util.find_spec("sigstore") is None:
        return "provenance.json is not signed: sigstore is not installed"
    command = [
        sys.executable,
        "-m",
        "sigstore",
        "sign",
        "--bundle",
        str(out / "provenance.sigstore.json"),
        str(out / "provenance.json"),
    ]
    done = subprocess.run(command, check=False, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    return (
        "provenance.json is signed" if done.returncode == 0 else "provenance.json is not signed: no identity is at hand"
    )


def _run(*command: str, env: dict[str, str] | None = None) -> None:
    done = subprocess.run(command, check=False, env={**os.environ, **(env or {})}, capture_output=True, text=True)
    if done.returncode:
        raise ReleaseError(f"`{' '.join(command)}` failed:\n{done.stdout}{done.stderr}")


def _printed(*command: str) -> str:
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        raise ReleaseError(f"`{' '.join(command)}` failed:\n{done.stdout}{done.stderr}")
    return done.stdout.strip()
