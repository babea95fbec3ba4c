"""Programs of others, compiled here within a bound of time: their IR may be anything that can be written down."""

from __future__ import annotations

from time import monotonic

from rtfs_framework.kernel.publishing import compile_published
from rtfs_framework.lang.codegen.artifact import Artifact
from rtfs_framework.lang.errors import LimitError

MOST_SECONDS = 30.0
"""How long a program that came from anywhere may take to compile; a large one of people's takes two."""


def compiled(blob: bytes) -> Artifact:
    """Return the artifact of a published program.

    Raises:
        PublishedError: These bytes are no program, or one that asks its host for something, or that is proved to fail.
        LimitError: It takes longer than `MOST_SECONDS`.
    """
    end = monotonic() + MOST_SECONDS

    def watch() -> None:
        if monotonic() > end:
            raise LimitError("seconds", MOST_SECONDS, f"it takes longer than {MOST_SECONDS:g} seconds to compile")

    return compile_published(blob, watch=watch)
