"""What is wrong with a file that a user names: said with its place and a way out."""

from __future__ import annotations

from rtfs_framework.api.errors import RtfsError
from rtfs_framework.api.secrets import one_line

MISSING = "E0901"
UNREADABLE = "E0903"
NO_COLUMN = "E0904"
MALFORMED = "E0905"
TOO_FEW = "E0907"
NO_MODEL = "E0930"
NO_LIBRARY = "E0931"


class FileError(RtfsError):
    """A file that cannot be used, or a library that is not there to make one."""

    def __init__(self, code: str, problem: str, way_out: str, place: str = "") -> None:
        """Make one; `place` is the file, with its line where there is one."""
        self.code = code
        self.problem = one_line(f"{place}: {problem}" if place else problem)
        self.way_out = way_out
        super().__init__(f"{self.problem}\n  help: {way_out}")
