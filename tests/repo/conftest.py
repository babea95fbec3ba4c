"""What the house rules' tests share: the tree itself, and copies of it to plant violations in."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from house import tree


@pytest.fixture(scope="session")
def root() -> Path:
    """Return the root of the repository."""
    return Path(__file__).parents[2]


@pytest.fixture
def copy(root: Path, tmp_path: Path) -> Path:
    """Return a copy of the tree that a test may spoil."""
    target = tmp_path / "tree"
    for path in tree.files(root):
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(root / path, target / path)
    return target
