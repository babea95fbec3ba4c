"""The package's front page: type checkers see what is imported on first use, name by name."""

from __future__ import annotations

import ast
from importlib import import_module
from pathlib import Path

import rtfs_framework


def test_every_lazy_name_has_its_type():
    tree = ast.parse(Path(rtfs_framework.__file__).read_text(encoding="utf-8"))
    (block,) = [node for node in tree.body if isinstance(node, ast.If)]
    seen = {
        alias.name: node.module
        for node in block.body
        if isinstance(node, ast.ImportFrom) and node.module != "typing"
        for alias in node.names
    }
    assert seen == rtfs_framework._LAZY
    assert sorted(rtfs_framework.__all__) == sorted([*seen, "__version__"])
    for name, module in seen.items():
        assert getattr(rtfs_framework, name) is getattr(import_module(module), name)
