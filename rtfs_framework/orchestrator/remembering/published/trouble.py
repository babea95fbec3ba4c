"""What goes wrong with keys, stores and published programs: a code, what is wrong, and what to do."""

from __future__ import annotations

from rtfs_framework.lang.errors import RtfsError


class PublishingError(RtfsError):
    """A key, a store or a published program that cannot be used. As a text it is the problem and the way out."""

    def __init__(self, code: str, problem: str, way_out: str) -> None:
        super().__init__(f"{problem}\n  help: {way_out}")
        self.code, self.problem, self.way_out = code, problem, way_out
