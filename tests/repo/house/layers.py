"""Check who imports whom: the core's contracts (.importlinter) and those of every plugin folder found.

In: the root of a tree. Out: import-linter's report and its exit code. import-linter reads a fixed list of packages;
ours grows with the folders under plugins/, so the plugins' contracts are written here, to a file that is thrown away.
Nothing is imported or has to be installed: the sources are found through PYTHONPATH and only read.
"""

from __future__ import annotations

import configparser
import os
import subprocess
import sys
import tempfile
from pathlib import Path

DOOR = "rtfs_framework.api"
_SECTION = "importlinter:contract:"


def check(root: Path) -> subprocess.CompletedProcess[str]:
    """Run import-linter on the tree at `root`."""
    folders = [found.parent for found in sorted(root.glob("plugins/*/*/pyproject.toml"))]
    packages = [found.parent.name for folder in folders for found in sorted(folder.glob("rtfs_*/__init__.py"))]
    with tempfile.TemporaryDirectory() as scratch:
        config = Path(scratch, "importlinter.ini")
        with config.open("w", encoding="utf-8") as file:
            contracts(root, packages).write(file)
        return subprocess.run(
            [sys.executable, "-c", _RUN, str(config)],
            cwd=root,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, [root, *folders]))},
            capture_output=True,
            text=True,
            check=False,
        )


# A cache would be written into the tree, and the whole tree is read in about a second without one.
_RUN = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(sys.argv[1], no_cache=True))"


def contracts(root: Path, packages: list[str]) -> configparser.ConfigParser:
    """Return .importlinter with the contracts of the given plugin packages added."""
    config = configparser.ConfigParser(interpolation=None)
    config.read_string((root / ".importlinter").read_text(encoding="utf-8"))
    if not packages:
        return config
    config["importlinter"]["root_packages"] = _lines(["rtfs_framework", *packages])
    behind_the_door = [
        f"rtfs_framework.{path.stem}"
        for path in sorted((root / "rtfs_framework").iterdir())
        if (path.suffix == ".py" or (path / "__init__.py").exists()) and path.stem not in {"__init__", "api"}
    ]
    _forbid(config, "door", f"plugins import nothing of the core but {DOOR}", packages, [*behind_the_door, "pluggy"])
    own = [expression for package in packages for expression in (package, f"{package}.**")]
    _forbid(config, "front", "plugins do not import the core's front page", own, ["rtfs_framework"])
    config[f"{_SECTION}front"]["as_packages"] = "False"
    _forbid(config, "core", "the core imports no plugin", ["rtfs_framework"], packages)
    if len(packages) > 1:
        config[f"{_SECTION}independence"] = {
            "name": "no plugin imports another",
            "type": "independence",
            "modules": _lines(packages),
        }
    return config


def _forbid(config: configparser.ConfigParser, key: str, name: str, sources: list[str], forbidden: list[str]) -> None:
    config[f"{_SECTION}{key}"] = {
        "name": name,
        "type": "forbidden",
        "source_modules": _lines(sources),
        "forbidden_modules": _lines(forbidden),
        "allow_indirect_imports": "True",
    }


def _lines(values: list[str]) -> str:
    return "\n" + "\n".join(values)


if __name__ == "__main__":
    result = check(Path(sys.argv[1]).resolve())
    print(result.stdout, result.stderr, sep="")
    sys.exit(result.returncode)
