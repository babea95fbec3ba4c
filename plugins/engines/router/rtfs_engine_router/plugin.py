"""What this distribution offers to rtfs_framework. Imports nothing heavy: to decide needs no library that learns."""

from __future__ import annotations

from typing import Any

from rtfs_engine_router.settings import RouterSettings
from rtfs_framework.api import Children, CommandEntry, DelegationEngine, EngineEntry, EngineSettings, hookimpl

rtfs_api_version = 2


@hookimpl
def rtfs_engines() -> list[EngineEntry]:
    """Offer the engine `router`."""
    return [
        EngineEntry(
            name="router",
            summary="A weak or a strong target, by a model fitted to labelled outcomes and a wished share.",
            factory=_make,
            settings=RouterSettings,
            children=(Children("weak"), Children("strong")),
        )
    ]


@hookimpl
def rtfs_commands() -> list[CommandEntry]:
    """Offer two commands, each of a group."""
    return [
        CommandEntry(
            name="learn routing",
            summary="Fit a router: when a weak model is enough, from labelled outcomes.",
            example="rtfs learn routing outcomes.csv --out router.json",
            load=_learn,
        ),
        CommandEntry(
            name="bench routing",
            summary="Measure a router: how much of a strong model's quality it keeps.",
            example="rtfs bench routing outcomes.csv",
            load=_bench,
        ),
    ]


def _make(settings: EngineSettings) -> DelegationEngine:
    from rtfs_engine_router.engine import RouterEngine

    return RouterEngine(settings)


def _learn() -> Any:
    from rtfs_engine_router.commands import learn

    return learn


def _bench() -> Any:
    from rtfs_engine_router.commands import bench

    return bench
