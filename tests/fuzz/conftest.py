"""Fuzzing: what the tests share. The generators are a package of this folder's."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
