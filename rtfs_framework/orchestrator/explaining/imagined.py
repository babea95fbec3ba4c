"""A world as somebody imagines it, for decisions that nobody carries out: signals, and what was tried before.

What is not said is as it is where nobody measures anything: healthy, unhurried, and plenty of everything.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from rtfs_framework.api.attempts import Attempt
from rtfs_framework.api.caller import NO_METADATA, DelegationMetadata
from rtfs_framework.api.labels import PUBLIC, Label
from rtfs_framework.api.remote import Offer
from rtfs_framework.api.signals import Health, Latency, Left, Price
from rtfs_framework.api.targets import ExecTarget
from rtfs_framework.kernel.outcome import HostCall
from rtfs_framework.orchestrator.deciding.around import Around
from rtfs_framework.orchestrator.deciding.delegate import Delegator
from rtfs_framework.orchestrator.deciding.known import Undecided
from rtfs_framework.orchestrator.deciding.signals import NO_SIGNALS, Signals
from rtfs_framework.orchestrator.recording.attempts import draw
from rtfs_framework.orchestrator.recording.records import Decision


@attrs.frozen(slots=True, kw_only=True)
class Imagined:
    """Signals by target, budget or rate. Prices that are not said are those of the host."""

    known: Mapping[tuple[str, Any], Any] = attrs.field(factory=dict)
    """By the read's name, and its target or name."""
    host: Signals = NO_SIGNALS

    def health(self, target: ExecTarget) -> Health:
        """Return the state of a target's breaker."""
        found: Health = self.known.get(("health", target), Health.CLOSED)
        return found

    def latency(self, target: ExecTarget) -> Latency | None:
        """Return how long a target takes."""
        found: Latency | None = self.known.get(("latency", target))
        return found

    def load(self, target: ExecTarget) -> int:
        """Return about how many requests it has under way."""
        found: int = self.known.get(("load", target), 0)
        return found

    def price(self, target: ExecTarget) -> Price:
        """Return what it costs."""
        found: Price | None = self.known.get(("price", target))
        return self.host.price(target) if found is None else found

    def offer(self, target: ExecTarget) -> Offer | None:
        """Return what another host offers."""
        found: Offer | None = self.known.get(("offer", target))
        return found

    def budget(self, name: str) -> Left:
        """Return what is left of a budget."""
        found: Left = self.known.get(("budget", name), Left.PLENTY)
        return found

    def rate(self, name: str) -> Left:
        """Return what is left of a rate."""
        found: Left = self.known.get(("rate", name), Left.PLENTY)
        return found

    def as_signals(self) -> Signals:
        """Return them as a host has them."""
        return Signals(targets=self, budgets=self, prices=self, offers=self)


@attrs.frozen(slots=True, kw_only=True)
class Past:
    """What was tried for a call before, and what its caller says of it."""

    attempts: tuple[Attempt, ...] = ()
    metadata: DelegationMetadata = NO_METADATA
    seed: str = ""
    call: tuple[object, ...] = ()
    """The call's id, as draws use it."""
    labels: Label = PUBLIC
    """The marks that its request carries."""

    def draw(self, name: str) -> float:
        """Return the number in [0, 1) that the seed, the id and the number of the attempt give."""
        return draw(self.seed, self.call, len(self.attempts), name)


@attrs.frozen(slots=True, kw_only=True)
class Surrounded:
    """Surroundings that somebody imagines."""

    agent: str = ""
    environment: Mapping[str, str] = attrs.field(factory=dict)
    constraints: Mapping[str, str] = attrs.field(factory=dict)
    time_class: str = ""


def imagining(delegator: Delegator, signals: Signals, around: Around | None = None) -> Delegator:
    """Return what decides as a host's does, in another world, without looking into memory or telling anybody.

    Its surroundings are the host's where none are imagined.
    """
    sequel = attrs.evolve(delegator.precedence.sequel, signals=signals)
    precedence = attrs.evolve(delegator.precedence, sequel=sequel)
    around = delegator.around if around is None else around
    world = attrs.evolve(delegator.looking_away(), shadow=None, report=_tell_nobody, signals=signals, around=around)
    return attrs.evolve(world, precedence=precedence)


def decided(delegator: Delegator, call: HostCall, past: Past) -> Decision | Undecided:
    """Decide about a call, after what was tried for it."""
    return delegator.again(call, past) if past.attempts else delegator.decide(call, past)


def _tell_nobody(*_: object) -> None:
    """Report nothing."""
