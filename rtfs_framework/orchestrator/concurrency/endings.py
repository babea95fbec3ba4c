"""Whether the run of a task has ended for good: nobody will go on with it, so nobody will ask for what it gives up."""

from __future__ import annotations

from contextvars import ContextVar

import attrs


@attrs.define(slots=True, eq=False)
class Ending:
    """How a run has ended, for the tasks that it had under way."""

    for_good: bool = False
    """Not while it goes on, and not where it was stopped or parked: then it may be gone on with."""


ENDING: ContextVar[Ending | None] = ContextVar("rtfs_ending", default=None)
"""That of the run whose task this is."""


def ended_for_good() -> bool:
    """Tell whether the run of this task has ended, and is not gone on with."""
    ending = ENDING.get()
    return ending is not None and ending.for_good
