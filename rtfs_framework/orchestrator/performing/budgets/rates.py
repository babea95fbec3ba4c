"""Rates: token buckets that calls and tokens are taken from, shared by all sessions of a process.

A bucket is filled at a steady pace up to its size. Who comes too early takes all the same, leaves it in debt and waits
until the debt is paid, if that is not too long; so requests queue up in order, and what is larger than the bucket has
its turn, too. (pyrate-limiter keeps an item for each unit that was taken:
too many where a hundred thousand tokens a minute are; and it takes nothing back that was not used.)
"""

from __future__ import annotations

from math import inf
from threading import Lock
from typing import TYPE_CHECKING

import attrs

from rtfs_framework.api.values import Clock
from rtfs_framework.orchestrator.concurrency.clock import SystemClock
from rtfs_framework.orchestrator.config.budgets import SCOPES, RateSpec
from rtfs_framework.orchestrator.performing.budgets.estimate import FREE, Bound, bound_of
from rtfs_framework.orchestrator.performing.budgets.matching import Matched, facts_of, facts_of_instance
from rtfs_framework.orchestrator.performing.gate import Check, Held, RefusedError

if TYPE_CHECKING:
    from rtfs_framework.api.signals import Left
    from rtfs_framework.orchestrator.performing.budgets.left import Bands
    from rtfs_framework.orchestrator.performing.gate import Asking, Outcome
    from rtfs_framework.orchestrator.performing.providers import ProviderInstance

TOO_FAST = "E0612"
_SECONDS = {"second": 1.0, "minute": 60.0, "hour": 3600.0}


@attrs.define(slots=True, eq=False)
class Bucket:
    """Holds `size` at most and gets `pace` a second."""

    size: float
    pace: float
    level: float
    at: float
    """When the level was that (monotonic)."""

    def fill(self, now: float) -> None:
        """Add what has come since."""
        self.level = min(self.size, self.level + max(0.0, now - self.at) * self.pace)
        self.at = now

    def wait_for(self, amount: float) -> float:
        """Return the seconds until an amount is there; what is larger than the bucket has to find it full."""
        lacking = min(amount, self.size) - self.level
        return 0.0 if lacking <= _ROUNDING * self.size else lacking / self.pace


_ROUNDING = 1e-9
"""The part of a bucket that sums of floats may be wrong by."""


@attrs.define(slots=True, eq=False)
class Pair:
    """The buckets of one rate."""

    calls: Bucket | None
    tokens: Bucket | None

    def take(self, calls: float, tokens: float, now: float, patience: float = 0.0) -> float:
        """Take from both if that is no longer to wait for than one has patience, else from none; return the wait."""
        pairs = [(bucket, amount) for bucket, amount in ((self.calls, calls), (self.tokens, tokens)) if bucket]
        for bucket, _ in pairs:
            bucket.fill(now)
        wait = max(bucket.wait_for(amount) for bucket, amount in pairs)
        if wait <= patience:
            for bucket, amount in pairs:
                bucket.level -= amount
        return wait

    def give(self, calls: float, tokens: float, now: float) -> None:
        """Give back what was not used."""
        for bucket, amount in ((self.calls, calls), (self.tokens, tokens)):
            if bucket is not None:
                bucket.fill(now)
                bucket.level = min(bucket.size, bucket.level + amount)

    def share(self, now: float) -> float:
        """Return the smaller share of what may be taken now."""
        shares = []
        for bucket in (self.calls, self.tokens):
            if bucket is not None:
                bucket.fill(now)
                shares.append(max(0.0, bucket.level) / bucket.size)
        return min(shares)


_lock = Lock()
_of_process: dict[tuple[object, ...], Pair] = {}
"""Of all sessions on the machine's clock."""


def pair_of(spec: RateSpec, now: float) -> Pair:
    """Return full buckets."""
    pace = _SECONDS[spec.per]

    def bucket(amount: int | None, size: int | None) -> Bucket | None:
        return None if amount is None else Bucket(float(size or amount), amount / pace, float(size or amount), now)

    return Pair(bucket(spec.calls, spec.burst), bucket(spec.tokens, None))


@attrs.define(slots=True, eq=False)
class Rates:
    """The rates of a host."""

    specs: tuple[Matched[RateSpec], ...]
    tenant: str
    most_reply: int
    clock: Clock
    bands: Bands
    _pairs: dict[str, Pair] = attrs.field(init=False)
    _leaving: dict[str, Pair] = attrs.field(init=False)
    """What is taken again as requests leave: those that were let pass one by one may have piled up since, behind a
    provider that was getting ready or had no room."""

    def __attrs_post_init__(self) -> None:
        """Find the buckets."""
        self._pairs, self._leaving = self._find("passing"), self._find("leaving")

    def _find(self, which: str) -> dict[str, Pair]:
        now = self.clock.monotonic()
        if not isinstance(self.clock, SystemClock):
            return {each.spec.name: pair_of(each.spec, now) for each in self.specs}
        with _lock:
            return {
                each.spec.name: _of_process.setdefault((which, *_key(each.spec)), pair_of(each.spec, now))
                for each in self.specs
            }

    def concerns(self, instance: ProviderInstance) -> bool:
        """Tell whether a rate may be about requests to a provider."""
        facts = facts_of_instance(instance.spec, self.tenant)
        return any(each.fits(facts) for each in self.specs)

    def take(self, specs: list[RateSpec], bound: Bound) -> tuple[RateSpec | None, float]:
        """Take from all rates, or from none; return the seconds to wait, and the rate for which that is too long."""
        now, tokens, longest = self.clock.monotonic(), bound.amount.tokens, 0.0
        with _lock:
            taken: list[Pair] = []
            for spec in specs:
                pair = self._pairs[spec.name]
                wait = pair.take(1, tokens, now, spec.wait)
                if wait > spec.wait:
                    for each in taken:
                        each.give(1, tokens, now)
                    return spec, wait
                taken.append(pair)
                longest = max(longest, wait)
        return None, longest

    def leave(self, names: list[str], tokens: int) -> float:
        """Take for a request that has passed and is about to leave; return the seconds to wait."""
        now = self.clock.monotonic()
        with _lock:
            return max(self._leaving[name].take(1, tokens, now, inf) for name in names)

    def give(self, names: list[str], calls: int, tokens: int, *, left: bool) -> None:
        """Give back to all; `left` tells whether it was taken a second time, to leave."""
        now = self.clock.monotonic()
        with _lock:
            for pairs in (self._pairs, self._leaving) if left else (self._pairs,):
                for name in names:
                    pairs[name].give(calls, tokens, now)

    def rate(self, name: str) -> Left | None:
        """Return what is left of a rate, in bands; None when there is none of that name."""
        pair = self._pairs.get(name)
        if pair is None:
            return None
        with _lock:
            share = pair.share(self.clock.monotonic())
        return self.bands.put(name, share)


def _key(spec: RateSpec) -> tuple[object, ...]:
    scope = tuple(getattr(spec.scope, key) for key in SCOPES)
    return spec.name, scope, spec.per, spec.calls, spec.tokens, spec.burst


@attrs.define(slots=True, eq=False)
class _Taken(Held):
    """What was taken for a request."""

    rates: Rates
    names: list[str]
    bound: Bound
    instance: ProviderInstance
    wait: float = 0.0
    """Seconds until it is its turn."""
    _leaves: bool = attrs.field(default=False, init=False)

    @property
    def pauses_for(self) -> float:
        """Return the seconds until it is its turn."""
        return self.wait

    def leaves_in(self) -> float:
        """Return the seconds until it may leave: none where nothing has held it up since it was let pass."""
        self._leaves = True
        return self.rates.leave(self.names, self.bound.amount.tokens)

    def settle(self, outcome: Outcome) -> None:
        """Give back what the request did not use."""
        bound = self.bound.amount
        if not outcome.sent:
            self.rates.give(self.names, 1, bound.tokens, left=self._leaves)
        elif outcome.usage is not None:
            took = self.bound.took(outcome.usage, self.instance.spec)
            self.rates.give(self.names, 0, bound.tokens - took.tokens, left=self._leaves)


@attrs.frozen(slots=True, eq=False)
class RateCheck(Check):
    """Lets requests pass no faster than the rates say."""

    name = "rate"
    rates: Rates

    @property
    def pauses(self) -> bool:
        """Tell whether requests may have to wait for their turn."""
        return any(each.spec.wait > 0 for each in self.rates.specs)

    def concerns(self, instance: ProviderInstance) -> bool:
        """Tell whether a rate may be about requests to a provider."""
        return self.rates.concerns(instance)

    def enter(self, asking: Asking) -> _Taken | None:
        """Take what the request may need.

        Raises:
            RefusedError: E0612, it is too early.
        """
        facts = facts_of(asking)
        specs = [each.spec for each in self.rates.specs if each.fits(facts)]
        if not specs:
            return None
        bound = bound_of(asking.request, FREE, self.rates.most_reply)
        early, wait = self.rates.take(specs, bound)
        if early is None:
            return _Taken(self.rates, [each.name for each in specs], bound, asking.instance, wait)
        name = early.name
        raise RefusedError(
            self.name,
            f"the rate '{name}' lets the next one pass in {wait:.3g} s",
            f"ask for less at once, raise it, or let calls wait longer (wait) under [rates.{name}]",
            kind="BudgetExhausted",
            code=TOO_FAST,
            retry_after=wait,
        )
