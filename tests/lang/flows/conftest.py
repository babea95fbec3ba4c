"""The generator and the runs of this folder are modules of its own: tests here import them by name."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
