"""What this distribution offers to rtfs_framework. Imports nothing heavy: the engine is imported when it is made."""

from __future__ import annotations

from rtfs_engine_security.settings import SecuritySettings
from rtfs_framework.api import Children, DelegationEngine, EngineEntry, EngineSettings, hookimpl

rtfs_api_version = 2


@hookimpl
def rtfs_engines() -> list[EngineEntry]:
    """Offer the engine `security`."""
    return [
        EngineEntry(
            name="security",
            summary="What another engine decides, as far as rules about labels, people and places allow.",
            factory=_make,
            settings=SecuritySettings,
            children=(Children("base"),),
        )
    ]


def _make(settings: EngineSettings) -> DelegationEngine:
    from rtfs_engine_security.engine import SecurityEngine

    return SecurityEngine(settings)
