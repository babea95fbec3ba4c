"""Limits of a run, chosen by the host. None switches a limit off."""

from __future__ import annotations

from math import inf

from rtfs_framework.lang import meter, records
from rtfs_framework.lang.annotations import Any

LEAST_ITEMS = 1_000
"""Single values up to this size are never measured, so that small texts cost nothing."""

LEAST_BITS = 1 << 10
LEAST_MEMORY = 1 << 20


def _between(least: float, most: float = inf) -> Any:
    def check(_instance: object, attribute: Any, value: Any) -> None:
        if value is not None and (value.__class__ is bool or not isinstance(value, int | float) or value < least):
            message = f"{attribute.name} must be at least {least:g}, not {value!r}"
            raise ValueError(message)
        if value is not None and value > most:
            message = f"{attribute.name} must be at most {most:g}, not {value!r}"
            raise ValueError(message)

    return check


def _bound(default: int | None, least: int, most: float = inf) -> Any:
    return records.field(default=default, validator=_between(least, most))


@records.frozen(kw_only=True)
class Limits:
    """Bounds of one run.

    A *step* is one iteration of a loop, one activation of a function that gets to a call of its own, or eight items
    (256 characters) that one library call walks or builds, from 64 items (1,000 characters) on; an iteration or
    activation whose code is long counts once more for every 64 nodes of it. So the same program and input take the same
    steps on every Python version.
    """

    steps: int | None = _bound(5_000_000_000, 1)
    seconds: float | None = records.field(default=None, validator=_between(0))
    """Time by the host's clock. The kernel has none: who starts a run passes it a `watch`."""
    memory: int | None = _bound(1 << 30, LEAST_MEMORY)
    """Bytes of all values that the program can reach, by our own measure (`kernel/measure.py`)."""
    items: int | None = _bound(meter.ITEMS, LEAST_ITEMS)
    """Items of one collection and characters of one string."""
    bits: int | None = _bound(meter.BITS, LEAST_BITS)
    """Bits of one integer."""
    depth: int | None = _bound(10_000, 1)
    """Nested RTFS calls that are not tail calls."""
    output: int | None = _bound(10_000_000, LEAST_ITEMS)
    """Characters, when written, of a value that leaves the run: its result, or an argument of a host call."""
    host_calls: int | None = _bound(1_000_000, 0)
    """Requests that one run may make of its host."""
    nesting: int = _bound(meter.NESTING, 1, meter.MOST_NESTING)
    """Levels of brackets of source text. It cannot be switched off: what is safe differs between Pythons."""
    step_rounds: int = _bound(10_000, 0)
    """Iterations of one `step-loop`."""

    @property
    def metered(self) -> bool:
        """Whether programs must be compiled with steps: nothing else stops code that asks for nothing."""
        return self.steps is not None or self.seconds is not None or self.memory is not None


OFF = Limits(steps=None, seconds=None, memory=None, items=None, bits=None, depth=None, output=None, host_calls=None)
"""No limits at all."""
