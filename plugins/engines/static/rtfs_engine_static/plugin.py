"""What this distribution offers to rtfs_framework. Imports nothing heavy: the engine is imported when it is made."""

from __future__ import annotations

from rtfs_engine_static.rules import StaticSettings
from rtfs_framework.api import DelegationEngine, EngineEntry, EngineSettings, hookimpl

rtfs_api_version = 2


@hookimpl
def rtfs_engines() -> list[EngineEntry]:
    """Offer the engine `static`."""
    summary = "Rules and routes of the configuration, the most specific first; then the default target."
    return [EngineEntry(name="static", summary=summary, factory=_make, settings=StaticSettings)]


def _make(settings: EngineSettings) -> DelegationEngine:
    from rtfs_engine_static.engine import StaticEngine

    return StaticEngine(settings)
