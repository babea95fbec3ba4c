"""What the shipped plug-ins declare that they need is what their code imports: neither less nor, for none, more."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[2]
PLUGINS = sorted(found.parent for found in ROOT.glob("plugins/*/*/pyproject.toml"))
NEEDS = {
    **dict.fromkeys(("httpx", "httpx2", "openai", "redis", "nats", "distributed", "boto3", "botocore"), "network"),
    **dict.fromkeys(("sqlite3", "filelock", "tempfile", "shutil", "mmap", "pyarrow"), "files"),
    **dict.fromkeys(("llama_cpp", "xllamacpp", "onnxruntime", "wordllama"), "models"),
    **dict.fromkeys(("subprocess", "multiprocessing"), "subprocess"),
}
"""Modules that are there for one thing."""
OF_THE_API = {
    **dict.fromkeys(
        ("CacheFile", "HeldFile", "SqliteTables", "open_sqlite", "private_file", "private_folder"), "files"
    ),
    **dict.fromkeys(("read_regular", "read_toml"), "files"),
}


def imported(folder: Path) -> set[str]:
    """Return what a package imports: top-level modules, and names of the API."""
    found: set[str] = set()
    for file in folder.glob("rtfs_*/**/*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found.update(each.name.partition(".")[0] for each in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module == "rtfs_framework.api":
                found.update(each.name for each in node.names)
            elif isinstance(node, ast.ImportFrom):
                found.add(str(node.module).partition(".")[0])
    return found


@pytest.mark.parametrize("folder", PLUGINS, ids=lambda folder: f"{folder.parent.name}-{folder.name}")
def test_what_it_imports_it_declares(folder):
    project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = set(project["entry-points"]["rtfs_framework_permissions"])
    found = imported(folder)
    needed = {permission for name, permission in {**NEEDS, **OF_THE_API}.items() if name in found}
    assert needed <= declared
    assert declared == {"none"} or "none" not in declared


def test_an_import_that_needs_something_is_found(tmp_path):
    (tmp_path / "rtfs_x" / "deep").mkdir(parents=True)
    text = "def f():\n    import subprocess\n    from httpx import get\n    from rtfs_framework.api import HeldFile\n"
    (tmp_path / "rtfs_x/deep/a.py").write_text(text)
    assert {"subprocess", "httpx", "HeldFile"} <= imported(tmp_path)
