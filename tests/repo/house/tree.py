"""The files of the tree: what git tracks or would track; in a copy without git, every file that is there."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path


def files(root: Path, *suffixes: str) -> list[Path]:
    """Return the files with one of these suffixes (all, if none is given), relative to `root`, in order."""
    found = _tracked(root) if (root / ".git").exists() else _all(root)
    return sorted(path for path in found if (not suffixes or path.suffix in suffixes) and (root / path).is_file())


def product(root: Path) -> list[Path]:
    """Return the Python files that users get: the core and the plugins' packages, without tests."""
    tops = {"rtfs_framework", "plugins"}
    return [path for path in files(root, ".py") if path.parts[0] in tops and "tests" not in path.parts]


def tests(root: Path) -> list[Path]:
    """Return the files that pytest collects."""
    return [p for p in files(root, ".py") if p.name.startswith("test_") and "tests" in p.parts]


def plugins(root: Path) -> list[Path]:
    """Return the folders plugins/<kind>/<name>, relative to `root`, that hold any file."""
    depth = len(("plugins", "kind", "name"))
    found = (path.parts for path in files(root) if path.parts[0] == "plugins")
    return sorted({Path(*parts[:depth]) for parts in found if len(parts) > depth})


def _tracked(root: Path) -> Iterator[Path]:
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout
    return (Path(name) for name in listed.split("\0") if name)


def _all(root: Path) -> Iterator[Path]:
    return (path.relative_to(root) for path in root.rglob("*") if path.is_file())
