"""A session for each tenant whose work there is, opened when it is first needed."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from rtfs_framework.orchestrator.session import Session


@attrs.define(slots=True, eq=False)
class Sessions:
    """Sessions by tenant."""

    open: Callable[[str], Session]
    """Opens the session of a tenant; "" is nobody in particular."""
    _made: dict[str, Session] = attrs.field(factory=dict, init=False)
    _lock: Lock = attrs.field(factory=Lock, init=False)  # type: ignore[valid-type,unused-ignore]

    def of(self, tenant: str) -> Session:
        """Return a tenant's session.

        Raises:
            ConfigError: The configuration knows no such tenant.
        """
        with self._lock:
            found = self._made.get(tenant)
            if found is None:
                found = self._made[tenant] = self.open(tenant)
            return found

    def close(self) -> None:
        """Close all; what still runs is stopped."""
        with self._lock:
            made, self._made = list(self._made.values()), {}
        for each in made:
            each.close("interrupted", wait=False)
