"""What this distribution offers to rtfs_framework. Imports nothing heavy: the engine is imported when it is made."""

from __future__ import annotations

from rtfs_engine_adaptive.settings import AdaptiveSettings
from rtfs_framework.api import Children, DelegationEngine, EngineEntry, EngineSettings, hookimpl

rtfs_api_version = 2


@hookimpl
def rtfs_engines() -> list[EngineEntry]:
    """Offer the engine `adaptive`."""
    return [
        EngineEntry(
            name="adaptive",
            summary="Learns which of its base's targets is worth most, from outcomes, costs and feedback.",
            factory=_make,
            settings=AdaptiveSettings,
            children=(Children("base"),),
        )
    ]


def _make(settings: EngineSettings) -> DelegationEngine:
    from rtfs_engine_adaptive.engine import AdaptiveEngine

    return AdaptiveEngine(settings)
