"""What this distribution offers to rtfs_framework. Imports nothing heavy: the engine is imported when it is made."""

from __future__ import annotations

from rtfs_engine_resilient.settings import ResilientSettings
from rtfs_framework.api import Children, DelegationEngine, EngineEntry, EngineSettings, hookimpl

rtfs_api_version = 2


@hookimpl
def rtfs_engines() -> list[EngineEntry]:
    """Offer the engine `resilient`."""
    return [
        EngineEntry(
            name="resilient",
            summary="A primary while it is well, then its fallbacks; or the first of a list that is sure enough.",
            factory=_make,
            settings=ResilientSettings,
            children=(
                Children("primary"),
                Children("escalate", many=True, required=False, instead_of="primary"),
                Children("fallback", many=True, required=False),
            ),
        )
    ]


def _make(settings: EngineSettings) -> DelegationEngine:
    from rtfs_engine_resilient.engine import ResilientEngine

    return ResilientEngine(settings)
