"""Test every plugin alone: a new environment for each, with the core, that plugin, and no other of ours.

In: a folder to work in, a folder for the reports, and the names of plugins (all without any): `static`, `openai`. Out:
what each run printed, one after the other, and exit code 1 if any failed. What tests need beside is installed once, in
an environment below the others: they see it, and it has nothing of ours.
"""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from house.install import ROOT, sources

VENV = ("uv", "venv", "--quiet", "--clear", "--python", sys.executable)

_SEE_BELOW = """\
import pathlib, sys, sysconfig
folder = pathlib.Path(sysconfig.get_path("purelib"))
(folder / "below.pth").write_text(f"import site; site.addsitedir({sys.argv[1]!r})\\n")
"""
"""What the Python of an environment runs, to see the packages of another after its own."""


def _python(venv: Path) -> Path:
    return venv / ("Scripts" if os.name == "nt" else "bin") / "python"


def _packages(venv: Path) -> Path:
    """Return the folder of an environment's packages."""
    ask = "import sysconfig; print(sysconfig.get_path('purelib'))"
    return Path(subprocess.run([_python(venv), "-c", ask], text=True, capture_output=True, check=True).stdout.strip())


def make_below(work: Path) -> Path:
    """Return a new environment with what the tests need, and nothing of ours."""
    venv = work / "below"
    subprocess.run([*VENV, str(venv)], check=True)
    install = ["uv", "pip", "install", "--quiet", "--compile-bytecode", "--python", str(_python(venv))]
    subprocess.run([*install, "-r", str(ROOT / "tests/requirements.txt")], check=True)
    return venv


def distribution(folder: Path) -> str:
    """Return the name that a plugin's folder gives it: `plugins/engines/static` is `rtfs-engine-static`."""
    return f"rtfs-{folder.parent.name.replace('ies', 'ys').removesuffix('s')}-{folder.name}"


def test(folder: Path, below: Path, work: Path, reports: Path) -> tuple[str, int, str]:
    """Return a plugin's distribution, the exit code of its tests alone with the core, and what they printed."""
    name = distribution(folder)
    venv, python = work / name, _python(work / name)
    report = f"--junit-xml={reports / f'plugin-{name}.xml'}"
    tests = [str(folder / "tests"), str(ROOT / "tests/packaging")]
    commands = [
        [*VENV, str(venv)],
        ["uv", "pip", "install", "--quiet", "--python", str(python), "-e", str(ROOT), "-e", str(folder)],
        [str(python), "-c", _SEE_BELOW, str(_packages(below))],
        [str(python), "-m", "pytest", "-p", "no:cacheprovider", report, *tests],
    ]
    programs = os.pathsep.join([str(python.parent), str(_python(below).parent), os.environ.get("PATH", "")])
    environ = {**os.environ, "EXPECT_DISTRIBUTIONS": f"rtfs-framework {name}", "PATH": programs}
    printed = ""
    for command in commands:
        done = subprocess.run(command, cwd=ROOT, env=environ, text=True, capture_output=True, check=False)
        printed += done.stdout + done.stderr
        if done.returncode:
            return name, done.returncode, printed
    return name, 0, printed


def main(work: str, reports: str, *names: str) -> int:
    """Test the plugins that are named, two at a time, or all; the exit code."""
    folders = [folder for folder in sources()[1:] if not names or folder.name in names]
    if not folders:
        print(f"there is no such plugin: {', '.join(names)}")
        return 1
    Path(reports).mkdir(parents=True, exist_ok=True)
    below = make_below(Path(work))
    failed = []
    with ThreadPoolExecutor(2) as pool:
        for name, code, printed in pool.map(lambda folder: test(folder, below, Path(work), Path(reports)), folders):
            print(f"--- {name} alone with the core: exit code {code}\n{printed}", flush=True)
            failed += [name] if code else []
    if failed:
        print(f"failed alone: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
