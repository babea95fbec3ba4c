"""Start-up: what a user waits for before anything happens."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from shutil import which

from benchmarks.table import Row
from benchmarks.timing import process_ms


def start_up() -> Iterable[Row]:
    """Yield the time of `rtfs --help` and, beyond starting Python, of importing the package."""
    python = process_ms([sys.executable, "-c", "pass"])
    imported = process_ms([sys.executable, "-c", "import rtfs_framework"])
    note = f"python -c pass takes {python:.0f} ms"
    yield Row(name="import rtfs_framework", value=max(0.0, imported - python), unit="ms", target=80, note=note)
    tool = which("rtfs")
    if tool is not None:
        yield Row(
            name="rtfs --help, whole process", value=process_ms([tool, "--help"]), unit="ms", target=200, note=note
        )
