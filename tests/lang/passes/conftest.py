"""The golden files' tool is a module of this folder's: tests here import it by name."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
