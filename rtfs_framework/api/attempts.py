"""What was tried for a call, and what a failure is evidence of: only from that follows what may be tried next."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from rtfs_framework.api.targets import ExecTarget


class FailureKind(Enum):
    """How an attempt ended that gave no usable answer."""

    SAFE = "safe"
    """It surely did nothing: never sent, the connection was refused, or the server took no request (429, 503)."""
    UNCERTAIN = "uncertain"
    """It was sent, and then time ran out or the connection broke: it may have been carried out, and be billed."""
    HERE = "final-here"
    """This target will not answer this request (refused content, too long, not understood, no key); others may."""
    FINAL = "final"
    """Nothing more may be tried: the call's time is over, or a rule forbids it."""
    REPLY = "bad-reply"
    """It answered what is no answer: another type, or refused by a guard of replies. Against quality, not health."""
    LOW_CONFIDENCE = "low-confidence"
    """It answered, and is less sure than the configuration wants. Against quality, not health."""
    REFUSED = "refused"
    """A guard of the host refused the target; nothing was sent."""


@attrs.frozen(slots=True, kw_only=True)
class Attempt:
    """One attempt of a call that gave no usable answer, as engines see it."""

    target: ExecTarget
    kind: FailureKind
    seconds: float = 0.0
    """How long it took, rounded up to a band of a factor of 2 from 1 ms; 0 where nothing was sent."""
    guard: str = ""
    """Which guard refused, "" for none."""
    reason: str = ""
    """What went wrong, without anything that a customer wrote."""
    retry_after: float | None = None
    """Seconds for which the target asked to be left alone, None for no word."""
    elsewhere: tuple[ExecTarget, ...] = ()
    """The targets that it named instead of itself: of those that are configured here, and no others."""
    transform: tuple[str, ...] = ()
    """The rules of redaction that its request went through."""
    aside: bool = False
    """Whether it was asked as the hint `fallback` says: a part of the attempt before it."""
