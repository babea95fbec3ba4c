"""What this distribution offers to rtfs_framework. Imports nothing heavy: redis comes when a layer is made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import attrs

from rtfs_framework.api import (
    CacheEntry,
    CacheLayer,
    CacheLevel,
    CacheSettings,
    Ledger,
    LedgerEntry,
    LedgerSettings,
    Seconds,
    hookimpl,
)

if TYPE_CHECKING:
    from rtfs_cache_redis.layer import RedisCache

rtfs_api_version = 2

PLAN_TTL = 3_600.0
"""Seconds for which a plan is remembered, where nobody says."""

_POSITIVE = attrs.validators.gt(Seconds(0))


@attrs.frozen(slots=True, kw_only=True)
class RedisSettings:
    """The keys of `[caches.redis-l2]`."""

    url: str = "redis://127.0.0.1:6379/0"
    """Where the server is: `redis://USER@HOST:PORT/DB`, `rediss://` for TLS, `unix://PATH`; never a password."""
    password_env: str | None = None
    """The variable that holds the password."""
    key_env: str | None = None
    """The variable that holds the key by which records are sealed; without it the user's `artifacts.key` does."""
    prefix: str = attrs.field(default="rtfs", validator=attrs.validators.matches_re(r"[A-Za-z0-9_.:-]{1,64}"))
    """What the names of all keys at the server begin with."""
    capacity: int = attrs.field(default=2_000, validator=[attrs.validators.ge(1), attrs.validators.le(1_000_000)])
    """How many records are remembered; those that were not used for longest make room."""
    ttl: Seconds | None = attrs.field(default=None, validator=attrs.validators.optional(_POSITIVE))
    """Seconds for which a record is remembered; without it `[delegation] cache_ttl` counts."""
    lease: Seconds = attrs.field(
        default=Seconds(0.2), validator=[attrs.validators.ge(Seconds(0.01)), attrs.validators.le(Seconds(60))]
    )
    """How long a node serves from memory without asking, and how long an invalidation waits: at all nodes the same."""
    timeout: Seconds = attrs.field(
        default=Seconds(0.5), validator=[attrs.validators.ge(Seconds(0.01)), attrs.validators.le(Seconds(30))]
    )
    """How long the server may take to connect and to answer."""
    near_megabytes: int = attrs.field(default=16, validator=[attrs.validators.ge(0), attrs.validators.le(65_536)])
    """How much of it each node has in its own memory."""
    alone: Seconds = attrs.field(default=Seconds(60), validator=attrs.validators.ge(Seconds(0)))
    """How long a node that lost the server serves what it made itself since; 0 serves nothing then."""


@attrs.frozen(slots=True, kw_only=True)
class RedisPlansSettings(RedisSettings):
    """The keys of `[caches.redis-l1]`: those of `[caches.redis-l2]`, which here speak of answers, and two more."""

    plans: int = attrs.field(default=1_000, validator=attrs.validators.ge(1))
    """How many plans this process remembers; the one not used for longest makes room."""
    min_confidence: float = attrs.field(default=0.0, validator=[attrs.validators.ge(0.0), attrs.validators.le(1.0)])
    """A plan of which its engine is less sure is not remembered; 0 remembers all."""


@hookimpl
def rtfs_caches() -> list[CacheEntry]:
    """Offer the layers `redis-l2` and `redis-l1`."""
    return [
        CacheEntry(
            name="redis-l2",
            summary="Inference replies at a Redis or Valkey that many nodes share: exact match, coherent, bounded.",
            level=CacheLevel.L2,
            factory=_make,
            settings=RedisSettings,
            shared=True,
        ),
        CacheEntry(
            name="redis-l1",
            summary="Delegation plans in memory, and models' answers about them at a Redis or Valkey that nodes share.",
            level=CacheLevel.L1,
            factory=_make_plans,
            settings=RedisPlansSettings,
            shared=True,
        ),
    ]


def _make(settings: CacheSettings) -> CacheLayer:
    return _at_a_server(settings, settings.own or RedisSettings(), "redis-l2", settings.ttl)


def _make_plans(settings: CacheSettings) -> CacheLayer:
    from rtfs_cache_redis.plans import WarmedPlans
    from rtfs_framework.api import BoundedCache

    own = settings.own or RedisPlansSettings()
    lifetimes: tuple[float | None, ...] = (own.ttl, settings.ttl, PLAN_TTL)
    ttl = next(float(each) for each in lifetimes if each is not None)
    memory = BoundedCache(capacity=own.plans, clock=settings.clock, ttl=ttl)
    return WarmedPlans(memory, _at_a_server(settings, own, "redis-l1", ttl), own.min_confidence)


def _at_a_server(settings: CacheSettings, own: RedisSettings, name: str, ttl: float | None) -> RedisCache:
    from rtfs_cache_redis.layer import RedisCache, Terms
    from rtfs_cache_redis.link import address_of
    from rtfs_cache_redis.sealing import Rows, seal_of

    address = address_of(own.url, password_of(settings.environ, own), float(own.timeout))
    terms = Terms(
        name=name,
        prefix=own.prefix,
        capacity=own.capacity,
        ttl=ttl if own.ttl is None else own.ttl,
        lease=float(own.lease),
        near=own.near_megabytes << 20,
        alone=float(own.alone),
    )
    rows = Rows(seal_of(settings, own.key_env, address.shown), terms.name)
    return RedisCache(address, rows, terms, settings.clock, settings.report)


@attrs.frozen(slots=True, kw_only=True)
class RedisLedgerSettings:
    """The keys of `[ledgers.redis]`."""

    url: str = "redis://127.0.0.1:6379/0"
    """Where the server is: `redis://USER@HOST:PORT/DB`, `rediss://` for TLS, `unix://PATH`; never a password."""
    password_env: str | None = None
    """The variable that holds the password."""
    prefix: str = attrs.field(default="rtfs", validator=attrs.validators.matches_re(r"[A-Za-z0-9_.:-]{1,64}"))
    """What the names of all keys at the server begin with: who has another one spends from other budgets."""
    timeout: Seconds = attrs.field(
        default=Seconds(2), validator=[attrs.validators.ge(Seconds(0.01)), attrs.validators.le(Seconds(30))]
    )
    """How long the server may take to connect and to answer."""


@hookimpl
def rtfs_ledgers() -> list[LedgerEntry]:
    """Offer the ledger `redis`."""
    summary = "Budgets at a Redis or Valkey that many machines share; while it is lost nothing is spent."
    return [LedgerEntry(name="redis", summary=summary, factory=_make_ledger, settings=RedisLedgerSettings)]


def _make_ledger(settings: LedgerSettings) -> Ledger:
    from rtfs_cache_redis.ledger import RedisLedger
    from rtfs_cache_redis.link import address_of

    own = settings.own or RedisLedgerSettings()
    password = password_of(settings.environ, own)
    return RedisLedger(address_of(own.url, password, float(own.timeout)), own.prefix, settings.clock)


def password_of(environ: Mapping[str, str], own: RedisSettings | RedisLedgerSettings) -> str | None:
    """Return the password that the settings name.

    Raises:
        PluginError: Its variable is not set.
    """
    from rtfs_cache_redis.faults import bare, unusable

    if own.password_env is None:
        return None
    password = environ.get(own.password_env)
    if not password:
        raise unusable(
            bare(own.url), f"needs a password, and ${own.password_env} is not set", "set it, or correct the name"
        )
    return password
