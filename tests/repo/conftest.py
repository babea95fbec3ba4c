"""What the house rules' tests share: the tree itself, and copies of it to plant violations in."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

import pytest

from house import tree


@pytest.fixture(scope="session")
def root() -> Path:
    """Return the root of the repository."""
    return Path(__file__).parents[2]


_SAMPLE = (Path("rtfs_framework/api"), Path("plugins/caches/l1"))


@pytest.fixture
def copy(root: Path, tmp_path: Path) -> Path:
    """Return a copy of the tree that a test may spoil."""
    return _copied(root, tmp_path, tree.files(root))


@pytest.fixture
def sample(root: Path, tmp_path: Path) -> Path:
    """Return a copy of two of its rooms: enough for rules that look at one file at a time."""
    return _copied(root, tmp_path, [path for path in tree.files(root) if any(map(path.is_relative_to, _SAMPLE))])


def _copied(root: Path, tmp_path: Path, paths: Iterable[Path]) -> Path:
    target = tmp_path / "tree"
    for path in paths:
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(root / path, target / path)
    return target
