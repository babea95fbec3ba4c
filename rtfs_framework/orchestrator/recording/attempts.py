"""What a call has tried, and what each attempt used: a call's cost is the sum over all of them."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING

import attrs

from rtfs_framework.api.attempts import Attempt

if TYPE_CHECKING:
    from rtfs_framework.orchestrator.recording.records import Decision

_LEAST_SECONDS = 0.001


@attrs.define(slots=True, eq=False)
class Spent:
    """What one attempt has used so far."""

    cost: float | None = 0.0
    """US dollars, None when they are not known."""
    input_tokens: int = 0
    output_tokens: int = 0


@attrs.frozen(slots=True, kw_only=True)
class AttemptRecord:
    """One attempt that gave no usable answer, as people and the journal see it."""

    attempt: Attempt
    seconds: float = 0.0
    cost: float | None = 0.0
    input_tokens: int = 0
    output_tokens: int = 0
    decision: Decision | None = attrs.field(default=None, eq=False, repr=False)
    """What chose the target; a repair has the decision of the attempt before it."""
    signals: int = attrs.field(default=0, eq=False)
    """How many changes of signals the journal had been told when it was over, and the next decision was made."""


def banded(seconds: float) -> float:
    """Return seconds rounded up to 1 ms, 2 ms, 4 ms and so on: engines see nothing finer."""
    band = _LEAST_SECONDS
    while band < seconds:
        band *= 2
    return band


def draw(seed: str, call: tuple[object, ...], attempt: int, name: str) -> float:
    """Return a number in [0, 1) that these give: the first 53 bits of a BLAKE2b digest."""
    text = "\0".join((seed, repr(call), str(attempt), name))
    bits = int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big") >> 11
    return bits / (1 << 53)


def total_cost(parts: Sequence[float | None]) -> float | None:
    """Return the sum of costs, None when one of them is not known."""
    return None if None in parts else sum(part for part in parts if part is not None)
