"""What decisions may know of the present. Whoever measures it is asked; what nobody measures has a plain answer.

Values are banded, and whoever measures them keeps them from flapping: a plan is found again while they stand.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Protocol, runtime_checkable

import attrs

from rtfs_framework.api.remote import Offer
from rtfs_framework.api.signals import Health, Latency, Left, Price
from rtfs_framework.api.targets import ExecTarget


class HealthSource(Protocol):
    """Measures targets."""

    def health(self, target: ExecTarget) -> Health:
        """Return the state of its breaker."""
        ...

    def latency(self, target: ExecTarget) -> Latency | None:
        """Return how long it takes, None when too little is known."""
        ...

    def load(self, target: ExecTarget) -> int:
        """Return about how many requests it has under way, at most."""
        ...


@runtime_checkable
class Bindable(Protocol):
    """A source that knows a shorter way to what is read again and again."""

    def bound(self, name: str, target: ExecTarget) -> Callable[[], Any]:
        """Return what reads one signal of one target."""
        ...


class BudgetSource(Protocol):
    """Knows what is left."""

    def budget(self, name: str) -> Left:
        """Return what is left of a budget."""
        ...

    def rate(self, name: str) -> Left:
        """Return what is left of a rate."""
        ...


class PriceSource(Protocol):
    """Knows prices."""

    def price(self, target: ExecTarget) -> Price:
        """Return what a target costs."""
        ...


class OfferSource(Protocol):
    """Knows what other hosts offer."""

    def offer(self, target: ExecTarget) -> Offer | None:
        """Return what a host offers, None when nothing is known."""
        ...


@attrs.frozen(slots=True, kw_only=True)
class Signals:
    """The signals of one host."""

    targets: HealthSource | None = None
    budgets: BudgetSource | None = None
    prices: PriceSource | None = None
    offers: OfferSource | None = None

    def health(self, target: ExecTarget) -> Health:
        """Return the state of a target's breaker; closed where nobody measures it."""
        return Health.CLOSED if self.targets is None else self.targets.health(target)

    def latency(self, target: ExecTarget) -> Latency | None:
        """Return how long a target takes, None when too little is known."""
        return None if self.targets is None else self.targets.latency(target)

    def load(self, target: ExecTarget) -> int:
        """Return about how many requests it has under way, at most."""
        return 0 if self.targets is None else self.targets.load(target)

    def price(self, target: ExecTarget) -> Price:
        """Return what it costs."""
        return Price() if self.prices is None else self.prices.price(target)

    def offer(self, target: ExecTarget) -> Offer | None:
        """Return what another host offers; None where nobody asks."""
        return None if self.offers is None else self.offers.offer(target)

    def budget(self, name: str) -> Left:
        """Return what is left of a budget; plenty where there is none of that name."""
        return Left.PLENTY if self.budgets is None else self.budgets.budget(name)

    def rate(self, name: str) -> Left:
        """Return what is left of a rate; plenty where there is none of that name."""
        return Left.PLENTY if self.budgets is None else self.budgets.rate(name)

    def bound(self, name: str, target: ExecTarget) -> Callable[[], Any]:
        """Return what reads one signal of one target: health, latency, load, price or offer."""
        source: object = self.targets
        if name not in ("price", "offer") and isinstance(source, Bindable):
            return source.bound(name, target)
        return partial(getattr(self, name), target)


NO_SIGNALS = Signals()
