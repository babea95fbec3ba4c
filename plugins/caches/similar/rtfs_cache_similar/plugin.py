"""What this distribution offers to rtfs_framework. Imports nothing heavy: numpy and the index come with the layer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import attrs

from rtfs_framework.api import (
    FILE_WITHIN,
    CacheEntry,
    CacheLevel,
    CacheSettings,
    CommandEntry,
    Seconds,
    SimilarLayer,
    TargetText,
    hookimpl,
)

if TYPE_CHECKING:
    from rtfs_cache_similar.deciding.prior import Prior

rtfs_api_version = 2

_SHARE = [attrs.validators.ge(0.0), attrs.validators.lt(1.0)]


@attrs.frozen(slots=True, kw_only=True)
class SimilarSettings:
    """The keys of `[caches.similar]`."""

    functions: Sequence[str] = ("*",)
    """Names of the functions whose calls are looked up, with `*` for any characters."""
    false_hits: float = attrs.field(default=0.01, validator=_SHARE)
    """Wrong answers of all look-ups, at most; 0 serves equal requests alone."""
    explore: float = attrs.field(default=0.15, validator=_SHARE)
    """Of look-ups, at most: the model is asked though an entry might be served, and both answers are compared."""
    explore_cost: float | None = attrs.field(
        default=None, validator=attrs.validators.optional(attrs.validators.ge(0.0))
    )
    """US dollars that explored calls may cost in a day of one host."""
    judge: TargetText | None = None
    """A model that is asked afterwards whether a served answer was right: off the critical path, of a share of them."""
    judge_share: float = attrs.field(default=0.125, validator=[attrs.validators.ge(0.015625), attrs.validators.le(1.0)])
    """Of served answers, about: the next lower of 1, 1/2, 1/4 and so on."""
    judge_cost: float | None = attrs.field(default=None, validator=attrs.validators.optional(attrs.validators.ge(0.0)))
    """US dollars that judging may cost in a day of one host."""
    prior: str | None = attrs.field(default=None, metadata=FILE_WITHIN)
    """A file that `rtfs learn similar` wrote, relative to the configuration: by it a function begins to be served."""
    capacity: int = attrs.field(default=20_000, validator=attrs.validators.ge(1))
    """How many answers are remembered; those that were not used for longest make room."""
    capacity_bytes: int = attrs.field(default=268_435_456, validator=attrs.validators.ge(1))
    """What they may take in the file."""
    index: Literal["auto", "usearch", "annoy", "exact"] = "auto"
    """What finds the nearest; auto is usearch."""
    ttl: Seconds | None = attrs.field(
        default=None, validator=attrs.validators.optional(attrs.validators.gt(Seconds(0)))
    )
    """Seconds for which an answer is remembered; without it `[delegation] cache_ttl` counts."""


@hookimpl
def rtfs_caches() -> list[CacheEntry]:
    """Offer the layer `similar`."""
    summary = "Inference replies in SQLite, by similar requests: served while wrong answers stay below a stated bound."
    return [
        CacheEntry(
            name="similar",
            summary=summary,
            level=CacheLevel.SIMILAR,
            factory=_make,
            settings=SimilarSettings,
            persistent=True,
            bounded=True,
        )
    ]


def _make(settings: CacheSettings) -> SimilarLayer:
    from rtfs_cache_similar.deciding import Decider, DeciderSettings
    from rtfs_cache_similar.faults import FAULTS, no_index
    from rtfs_cache_similar.index.choosing import chosen
    from rtfs_cache_similar.layer import SimilarCache
    from rtfs_cache_similar.rows import Rows
    from rtfs_cache_similar.store import Bounds, Store
    from rtfs_framework.api import SimilarScope

    own = settings.own or SimilarSettings()
    try:
        index = chosen(own.index)
    except ImportError as error:
        raise no_index(own.index) from error
    judged = own.judge_share if own.judge else 0.0
    wanted = DeciderSettings(false_hits=own.false_hits, explore=own.explore, judge=judged)
    decider = Decider(wanted, _prior(settings.base, own.prior))
    return SimilarCache(
        Store(settings.directory, Rows(FAULTS.seal(settings), settings.report)),
        decider,
        index,
        bounds=Bounds(own.capacity, own.capacity_bytes),
        ttl=settings.ttl if own.ttl is None else own.ttl,
        clock=settings.clock,
        scope=SimilarScope(
            functions=tuple(own.functions),
            explore_cost=own.explore_cost,
            judge=own.judge or "",
            judge_cost=own.judge_cost,
        ),
        report=settings.report,
    )


def _prior(base: str | None, named: str | None) -> Prior | None:
    """Return the prior that the settings name."""
    if named is None:
        return None
    from rtfs_cache_similar.deciding.prior import load_prior
    from rtfs_cache_similar.faults import no_prior
    from rtfs_framework.api.fitting import FileError

    try:
        return load_prior(Path(base or "", named))
    except FileError as error:
        raise no_prior(error) from error


@hookimpl
def rtfs_commands() -> list[CommandEntry]:
    """Offer two commands, each of a group."""
    return [
        CommandEntry(
            name="learn similar",
            summary="Fit a prior for the similar cache: when two questions get the same answer.",
            example="rtfs learn similar pairs.csv --out prior.json",
            load=_learn,
        ),
        CommandEntry(
            name="bench similar-cache",
            summary="Measure the similar cache on labelled pairs: hits and wrong answers of all look-ups.",
            example="rtfs bench similar-cache pairs.csv --false-hits 0.02",
            load=_bench,
        ),
    ]


def _learn() -> Any:
    from rtfs_cache_similar.fitting.commands import learn

    return learn


def _bench() -> Any:
    from rtfs_cache_similar.fitting.commands import bench

    return bench
