"""The execution hints of one call while it is under way."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import attrs

if TYPE_CHECKING:
    from rtfs_framework.lang.types.names import Lookup
    from rtfs_framework.orchestrator.boundary.answers import Answer, Waiting
    from rtfs_framework.orchestrator.boundary.hints import Hints
    from rtfs_framework.orchestrator.recording.run_scope import OpenCall
    from rtfs_framework.orchestrator.recording.scope_parts import Failure

HINT_HIT = "hint hit"
"""What a record says of its cache where the hint `cache` answered."""


@attrs.define(slots=True, eq=False)
class Hinted(ABC):
    """The hints in force at a call."""

    hints: Hints
    again: Callable[[Failure], Answer | Waiting]
    """Writes an attempt of a capability down that gave no answer, and carries out what is decided then."""
    since: float = 0.0
    """When the attempt under way began, its fallback included (monotonic)."""
    aside: bool = False
    """Whether the fallback is what is asked now."""
    misfits: int = 0
    """Replies that were not what `validation` says."""

    def began(self, opened: OpenCall) -> float:
        """Return when the attempt under way began (monotonic): a fallback has a part of its attempt's time."""
        return self.since if self.aside else max(self.since, opened.since)

    def most_requests(self, most: int) -> int:
        """Return how many requests the call may make to tell a model what is wrong with its reply, of so many.

        A fallback answers instead.
        """
        if self.hints.fallback is not None:
            return 0
        return most if self.hints.retry is None else min(most, 1 + self.hints.retry.most)

    def check(self, value: Any, lookup: Lookup, who: str) -> None:
        """Refuse a reply that is not what the hint `validation` says; what a fallback answers is not looked at.

        Raises:
            ProgramError: TypeValidationError.
        """
        if self.hints.validation is None or self.aside:
            return
        try:
            self.hints.validation.check(value, lookup, who)
        except Exception:
            self.misfits += 1
            raise

    @abstractmethod
    def ended(self, opened: OpenCall, now: float, value: Any, *, answered: bool) -> None:
        """Take note of how the call ended, and write into its record what the hints did."""
