"""What this distribution offers to rtfs_framework. Imports nothing heavy: the engine is imported when it is made."""

from __future__ import annotations

from rtfs_engine_predictive.settings import PredictiveSettings
from rtfs_framework.api import Children, DelegationEngine, EngineEntry, EngineSettings, hookimpl

rtfs_api_version = 2


@hookimpl
def rtfs_engines() -> list[EngineEntry]:
    """Offer the engine `predictive`."""
    return [
        EngineEntry(
            name="predictive",
            summary="Proposes what to warm before it is asked for, and balances load between equal targets.",
            factory=_make,
            settings=PredictiveSettings,
            children=(Children("base"),),
        )
    ]


def _make(settings: EngineSettings) -> DelegationEngine:
    from rtfs_engine_predictive.engine import PredictiveEngine

    return PredictiveEngine(settings)
