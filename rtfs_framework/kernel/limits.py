"""Limits of a run, chosen by the host. None switches a limit off."""

from __future__ import annotations

import attrs


@attrs.frozen(slots=True, kw_only=True)
class Limits:
    """Bounds of one run."""

    depth: int | None = 10_000
    """Nested RTFS calls that are not tail calls."""
    rounds: int | None = 5_000_000_000
    """Rounds of all loops together (self calls in tail position are loops), counted in blocks of 65,536."""
    host_calls: int | None = 1_000_000
    """Requests that one run may make of its host."""
    step_rounds: int = 10_000
    """Rounds of one `step-loop`."""


TICK = 65_536
"""Rounds between two looks at the limit."""
