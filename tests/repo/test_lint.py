"""The linter's settings refuse what start-up time depends on: a vendor's SDK imported by a module."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PROVIDER = "plugins/providers/openai/rtfs_provider_openai/planted.py"


def complaints(text: str, root: Path) -> str:
    """Return what ruff says of a provider's module with this text."""
    command = [
        sys.executable,
        "-m",
        "ruff",
        "check",
        "--no-cache",
        "--select=TID253",
        "--stdin-filename",
        PROVIDER,
        "-",
    ]
    return subprocess.run(command, cwd=root, input=text, capture_output=True, text=True, check=False).stdout


@pytest.mark.parametrize("name", ["openai", "llama_cpp", "annoy"])
def test_a_vendors_sdk_is_imported_where_it_is_used(name: str, root: Path) -> None:
    assert "TID253" in complaints(f"import {name}\n", root)
    assert "TID253" in complaints(f"from {name} import Client\n", root)
    assert "TID253" not in complaints(f"def connect():\n    import {name}\n", root)
