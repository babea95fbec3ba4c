"""Limits of a run, chosen by the host. None switches a limit off."""

from __future__ import annotations

import attrs


@attrs.frozen(slots=True, kw_only=True)
class Limits:
    """Bounds of one run."""

    depth: int | None = 10_000
    """Nested RTFS calls that are not tail calls."""
    host_calls: int | None = 1_000_000
    """Requests that one run may make of its host."""
