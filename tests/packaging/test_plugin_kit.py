"""What `rtfs plugin new` makes is what a third party would hand out: wheels that a clean environment installs and uses.

One environment has the framework's wheel and twelve plug-ins, one of every kind, and no other of ours.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from rtfs_framework.cli.kit.kinds import KINDS
from rtfs_framework.cli.main import run

from_wheels = pytest.mark.skipif("EXPECT_WHEELS" not in os.environ, reason="only `tox run -e wheel` has wheels")

BUILD = """
import os, sys
import hatchling.build
target = os.path.abspath(sys.argv[1])
for folder in sys.argv[2:]:
    os.chdir(folder)
    hatchling.build.build_wheel(target)
"""
"""All in one process: a frontend would set up an environment for each."""


def ran(*line: str | Path, **environ: str) -> str:
    """Run a program outside of the tree, without the variables of this test's own host; return what it prints."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("RTFS_", "PYTEST", "PYTHON"))}
    done = subprocess.run([*map(str, line)], capture_output=True, text=True, env={**clean, **environ}, check=False)
    assert done.returncode == 0, done.stdout[-8_000:] + done.stderr[-4_000:]
    return done.stdout


@pytest.fixture
def made(tmp_path, monkeypatch, capfd):
    """The folders of one plug-in of every kind."""
    monkeypatch.setenv("RTFS_PLUGINS", "")
    for kind in KINDS:
        assert run(["plugin", "new", kind, f"third-{kind}", "--into", str(tmp_path / "made")]) == 0
    capfd.readouterr()
    return [tmp_path / "made" / f"third-{kind}" for kind in KINDS]


@from_wheels
def test_every_kind_is_built_installed_and_keeps_its_contract(made, tmp_path):
    (framework,) = Path.cwd().glob("dist/rtfs_framework-*.whl")
    python = tmp_path / "clean" / ("Scripts" if os.name == "nt" else "bin") / "python"
    ran("uv", "venv", "--quiet", "--python", sys.executable, tmp_path / "clean")
    install = ("uv", "pip", "install", "--quiet", "--python", python)
    ran(*install, framework, "hatchling>=1.27", "hypothesis>=6.130", "pytest>=8.3")
    ran(python, "-c", BUILD, tmp_path / "wheels", *made)
    wheels = sorted((tmp_path / "wheels").glob("*.whl"))
    assert len(wheels) == len(KINDS)
    ran(*install, *wheels)

    home = {"RTFS_HOME": str(tmp_path / "home")}
    code = "import sys; from rtfs_framework.cli.main import run; sys.exit(run(sys.argv[1:]))"
    found = json.loads(ran(python, "-c", code, "plugins", "--strict", "--json", **home))
    for kind, each in KINDS.items():
        assert f"rtfs-{kind}-third-{kind}" in {entry["distribution"] for entry in found[each.table]}
    audited = json.loads(ran(python, "-c", code, "plugins", "audit", "--strict", "--json", **home))["plugins"]
    assert {each["distribution"]: each["declared"] for each in audited} == {
        f"rtfs-{kind}-third-{kind}": [] if each.permission == "none" else [each.permission]
        for kind, each in KINDS.items()
    }

    options = ("-q", "-p", "rtfs_framework.testing.pytest_plugin", "--import-mode=importlib", "-p", "no:cacheprovider")
    tests = [folder / "tests" for folder in made]
    told = ran(python, "-m", "pytest", *options, "--rootdir", tmp_path, "-c", os.devnull, *tests)
    assert " failed" not in told
    assert " passed" in told
