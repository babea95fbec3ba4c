"""What a host offers whoever asks: its targets with prices and health, the marks that it takes, how busy it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rtfs_framework import __version__
from rtfs_framework.api.targets import LocalModel
from rtfs_framework.orchestrator.config.labels import accepted
from rtfs_framework.orchestrator.config.routes import target_text
from rtfs_framework.server.wire import PROTOCOL

if TYPE_CHECKING:
    from rtfs_framework.api.labels import Label
    from rtfs_framework.orchestrator.host import Host
    from rtfs_framework.server.auth import Caller
    from rtfs_framework.server.state import ServerState


def offer(state: ServerState, caller: Caller, running: int) -> dict[str, Any]:
    """Return what a caller's tenant may use here. No address, no key and no name of another tenant is in it."""
    session, spec = state.session_for(caller.tenant), state.spec
    host = session.host
    labels, security = host.config.labels, session.authorizer
    return {
        "protocol": int(PROTOCOL),
        "host": {"id": state.host_id, "version": __version__, "started": state.started},
        "targets": [_target(host, each) for each in host.pool.all if _may_go(host, each)],
        "accepts": [] if labels is None else sorted(labels.marks),
        "load": {"running": running, "most": spec.concurrency},
        "capabilities": [
            name for name in sorted(host.dispatcher.capabilities.entries) if security.authorize_capability(name) is None
        ],
        "limits": {"body": spec.body, "seconds": spec.seconds, "hops": spec.hops, "replay_for": spec.replay_for},
    }


def _may_go(host: Host, target: Any) -> bool:
    security = host.dispatcher.capabilities.security
    return host.pool.unusable(target) is None and security.validate_execution_context(target, None) is None


def _target(host: Host, target: Any) -> Mapping[str, Any]:
    candidate, labels = host.pool.candidate(target), host.config.labels
    price = host.pool.price(target)
    text = target_text(target)
    accepts: Label | None = None if labels is None else accepted(labels, text)
    return {
        "target": text,
        "locality": "local" if isinstance(target, LocalModel) else "remote",
        "accepts": None if accepts is None else sorted(accepts),
        "input_cost": price.input,
        "output_cost": price.output,
        "quality": None if candidate is None else candidate.quality,
        "health": host.health.health(target).value,
    }
