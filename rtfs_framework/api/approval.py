"""Calls that wait for a person, as the approver of a host is shown them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import attrs


@attrs.frozen(slots=True, kw_only=True)
class ApprovalRequest:
    """One call that waits. A yes is good for it alone: these arguments, this target, this configuration."""

    symbol: str
    """The function's qualified name."""
    args: tuple[Any, ...] = attrs.field(repr=False)
    target: str
    """Where it would go, in words."""
    approver: str
    """Who is asked: a name or a role, as the plan says it."""
    run: str
    call: str
    """The call's id within its run."""
    tenant: str
    policy: str
    """The digest of the rules and settings that decided."""
    seconds: float
    """How long it waits; no answer by then means no."""
    id: str = ""
    """For `rtfs approve`; "" where a host asks its own approver."""


Approver = Callable[[ApprovalRequest], "bool | Awaitable[bool]"]
"""Says yes (True) or no (anything else). It is called in a thread of its own; what it raises means no."""
