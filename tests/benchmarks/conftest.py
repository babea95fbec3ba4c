"""The benchmarks are the repository's and in no distribution: this makes their package importable, and nothing else."""

from __future__ import annotations

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "benchmarks"

# Not the root on sys.path: in the `wheel` env the tree's rtfs_framework would be found there.
if "benchmarks" not in sys.modules:
    spec = spec_from_file_location("benchmarks", FOLDER / "__init__.py", submodule_search_locations=[str(FOLDER)])
    assert spec is not None
    sys.modules["benchmarks"] = module_from_spec(spec)
