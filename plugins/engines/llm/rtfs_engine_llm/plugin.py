"""What this distribution offers to rtfs_framework. Imports nothing heavy: the engine is imported when it is made."""

from __future__ import annotations

from rtfs_engine_llm.settings import LlmSettings
from rtfs_framework.api import Children, DelegationEngine, EngineEntry, EngineSettings, hookimpl

rtfs_api_version = 2


@hookimpl
def rtfs_engines() -> list[EngineEntry]:
    """Offer the engine `llm`."""
    return [
        EngineEntry(
            name="llm",
            summary="Filters the targets by what is stated, and chooses by meaning, or asks a model which is best.",
            factory=_make,
            settings=LlmSettings,
            children=(Children("fallback", required=False),),
        )
    ]


def _make(settings: EngineSettings) -> DelegationEngine:
    from rtfs_engine_llm.engine import LlmEngine

    return LlmEngine(settings)
