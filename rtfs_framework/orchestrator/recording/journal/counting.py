"""How many runs a journal has."""

from __future__ import annotations

from pathlib import Path

from rtfs_framework.orchestrator.recording.journal import old
from rtfs_framework.orchestrator.recording.journal.query import has_log, reading

_COUNT = "SELECT count(*) FROM log WHERE what = 'run'"
_ALL = 2**31 - 1


def count_runs(path: Path) -> int:
    """Return how many runs there are.

    Raises:
        JournalError: There is no journal, or it cannot be read.
    """
    with reading(path) as connection:
        found = int(connection.execute(_COUNT).fetchone()[0]) if has_log(connection) else 0
        return found + (len(old.runs(connection, _ALL)) if old.has_old(connection) else 0)
