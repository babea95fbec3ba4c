"""What goes wrong with a journal, as an error with a way out. It imports no SQLite, for programs that need none."""

from __future__ import annotations

from pathlib import Path

from rtfs_framework.lang.errors import RtfsError

WAY_OUT = (
    "free some space or make it writable, or choose another place with [journal] path or RTFS_HOME, "
    'or let calls go on without it with [journal] on_failure = "continue"'
)


class JournalError(RtfsError):
    """A journal that cannot be written or read; says what to do."""

    code = "E0720"

    def __init__(self, path: Path, problem: str, way_out: str = WAY_OUT, *, busy: bool = False) -> None:
        super().__init__(f"error[{self.code}]: the journal {path}: {problem}\n  help: {way_out}")
        self.path = path
        self.problem = problem
        self.way_out = way_out
        self.busy = busy
        """Whether another process was writing all the time; a little later it may be possible."""
