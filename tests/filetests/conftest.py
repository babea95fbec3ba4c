"""File tests: programs of the language with their expectations in comments. `--bless` rewrites expectations."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))


def pytest_addoption(parser):
    parser.addoption("--bless", action="store_true", help="rewrite the expectations of the file tests")
