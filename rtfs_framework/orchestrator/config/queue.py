"""Which durable queue a host uses, and what it may hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

USUAL_STORE = "sqlite"
"""The queue where the configuration names none: a file of this machine, of the plug-in `rtfs-queue-sqlite`."""


@attrs.frozen(slots=True, kw_only=True)
class QueueSpec:
    """`[queue]`, resolved."""

    store: str = USUAL_STORE
    own: Any = None
    """The plug-in's settings; None where nothing is said."""
    directory: str | None = None
    """Where relative paths in its settings start."""
    most_items: int = 1_000_000
    most_bytes: int = 1 << 30
    keep: float = 7 * 86_400.0
    """Seconds for which what has ended is kept."""
    weights: Mapping[str, float] = attrs.field(factory=dict)
    """Of tenants' turns."""


USUAL_QUEUE = QueueSpec()
