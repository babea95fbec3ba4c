"""What this distribution offers to rtfs_framework."""

from __future__ import annotations

from rtfs_engine_remote_rtfs.settings import PeerSettings
from rtfs_framework.api import Children, DelegationEngine, EngineEntry, EngineSettings, hookimpl

rtfs_api_version = 2


@hookimpl
def rtfs_engines() -> list[EngineEntry]:
    """Offer the engine `remote-rtfs`."""
    return [
        EngineEntry(
            name="remote-rtfs",
            summary="Routes to other RTFS hosts by what they offer, load and price, and follows those that they name.",
            factory=_make,
            settings=PeerSettings,
            children=(Children("fallback", required=False),),
        )
    ]


def _make(settings: EngineSettings) -> DelegationEngine:
    from rtfs_engine_remote_rtfs.engine import PeerEngine

    return PeerEngine(settings)
