"""Who asks by MCP, and under which rules: those of the host, or a tenant's, narrowed by `[mcp.clients.NAME]`.

Over the standard streams whoever starts the server says who it is (`--client`), over HTTP the token does. What a client
says of itself counts for nothing.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable
from threading import Lock
from typing import TYPE_CHECKING

import attrs

from rtfs_framework.orchestrator.running.narrowing import Narrowing, narrowed
from rtfs_framework.orchestrator.session import Session
from rtfs_framework.server.auth import digest_of

if TYPE_CHECKING:
    from rtfs_framework.orchestrator.config.agents import McpClientSpec, McpSpec

_SCHEME, _MOST_TOKEN = "bearer", 512
PARK = 0.2
"""Seconds that a run waits with its server: then its client is told, and goes on with it when it likes."""


@attrs.define(slots=True, eq=False)
class Clients:
    """The clients of a server and their sessions, which are opened when they are first needed."""

    open: Callable[[str], Session]
    """Opens the session of a tenant; "" is nobody in particular."""
    bounds: McpSpec
    _tenants: dict[str, Session] = attrs.field(factory=dict, init=False)
    _narrow: dict[str, Session] = attrs.field(factory=dict, init=False)
    _lock: Lock = attrs.field(factory=Lock, init=False)

    def session(self, client: McpClientSpec) -> Session:
        """Return the session of a client: its tenant's, under the rules that both allow."""
        with self._lock:
            found = self._narrow.get(client.name)
            if found is None:
                base = self._of_tenant(client.tenant)
                found = Session(narrowed(base.host, _rules(client)), base.portal, base.limits)
                self._narrow[client.name] = found
            return found

    def _of_tenant(self, tenant: str) -> Session:
        found = self._tenants.get(tenant)
        if found is None:
            found = self._tenants[tenant] = self.open(tenant)
            found.park(PARK)
        return found

    def close(self) -> None:
        """Close all sessions; what runs is cancelled."""
        for session in self._tenants.values():
            session.close("interrupted", wait=False)


def _rules(client: McpClientSpec) -> Narrowing:
    return Narrowing(level=client.level, reach=client.reach, grant=client.grant, deny=client.deny, pinned=client.name)


def holder(header: str, known: Iterable[McpClientSpec]) -> McpClientSpec | None:
    """Return whose token an `Authorization` header holds; each is compared, in constant time."""
    scheme, _, token = header.partition(" ")
    token = token.strip()
    if scheme.lower() != _SCHEME or not token or len(token) > _MOST_TOKEN:
        return None
    digest, found = digest_of(token).encode(), None
    for each in known:
        if each.sha256 and hmac.compare_digest(each.sha256.encode(), digest):
            found = each
    return found
