"""The flat face of `rtfs_framework.api`: what it loads on first use is what type checkers are told, and is there."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from rtfs_framework import api


def told():
    """Return what the stub says: name to the module that it comes from."""
    tree = ast.parse(Path(api.__file__).with_suffix(".pyi").read_text(encoding="utf-8"))
    imports = [node for node in tree.body if isinstance(node, ast.ImportFrom)]
    return {alias.name: node.module.rpartition(".")[2] for node in imports for alias in node.names}


def test_type_checkers_are_told_what_is_there():
    assert told() == api._LAZY


@pytest.mark.parametrize("name", api.__all__)
def test_every_public_name_loads(name):
    assert getattr(api, name) is not None


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = api.nonsense


def test_the_face_loads_nothing_until_asked():
    program = "import sys, rtfs_framework.api; print(*[m for m in sys.modules if m.startswith('rtfs_framework.api.')])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
