"""Test every plugin alone: a new environment for each, with the core, that plugin, and no other of ours.

In: a folder to work in, a folder for the reports, and the names of plugins (all without any): `static`, `openai`. Out:
what each run printed, one after the other, and exit code 1 if any failed. `uv` makes an environment in a second.
"""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from house.install import ROOT, sources


def distribution(folder: Path) -> str:
    """Return the name that a plugin's folder gives it: `plugins/engines/static` is `rtfs-engine-static`."""
    return f"rtfs-{folder.parent.name.replace('ies', 'ys').removesuffix('s')}-{folder.name}"


def test(folder: Path, work: Path, reports: Path) -> tuple[str, int, str]:
    """Return a plugin's distribution, the exit code of its tests alone with the core, and what they printed."""
    name = distribution(folder)
    venv = work / name
    python = venv / ("Scripts" if os.name == "nt" else "bin") / "python"
    install = ["uv", "pip", "install", "--quiet", "--python", str(python), "-r", str(ROOT / "tests/requirements.txt")]
    report = f"--junit-xml={reports / f'plugin-{name}.xml'}"
    tests = [str(folder / "tests"), str(ROOT / "tests/packaging")]
    commands = [
        ["uv", "venv", "--quiet", "--clear", "--python", sys.executable, str(venv)],
        [*install, "-e", str(ROOT), "-e", str(folder)],
        [str(python), "-m", "pytest", "-p", "no:cacheprovider", report, *tests],
    ]
    environ = {**os.environ, "EXPECT_DISTRIBUTIONS": f"rtfs-framework {name}"}
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
    failed = []
    with ThreadPoolExecutor(2) as pool:
        for name, code, printed in pool.map(lambda folder: test(folder, Path(work), Path(reports)), folders):
            print(f"--- {name} alone with the core: exit code {code}\n{printed}", flush=True)
            failed += [name] if code else []
    if failed:
        print(f"failed alone: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
