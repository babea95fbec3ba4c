"""Worlds in which a call is decided, drawn: what an engine may read, in every combination.

A world answers every read. `told` makes one that answers some reads as one world does and all others as another: where
an engine's footprint is complete, its plan cannot tell that world from the first.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import attrs
from hypothesis import strategies as st

from rtfs_framework.api import Attempt, Candidate, ExecTarget, FailureKind, Health, Latency, Left, LocalPure, Price
from rtfs_framework.api.labels import PUBLIC, Label
from rtfs_framework.api.remote import Offer, OfferedTarget
from rtfs_framework.lang.maps import EMPTY_MAP, Map
from rtfs_framework.lang.values import Keyword
from rtfs_framework.orchestrator.deciding.readings import spelled
from rtfs_framework.orchestrator.deciding.reads import Reads
from rtfs_framework.orchestrator.deciding.signals import Signals
from rtfs_framework.testing.fakes import FakeAsker, WordsEmbedder, call_reads

Read = tuple[str, ...]

_OF_ARGUMENTS = frozenset({"args", "text", "types", "size", "arg_type_fingerprint", "embedding", "semantic_hash"})
_WORDS = WordsEmbedder()
_SIGNALS = ("health", "latency", "load", "price", "offer")


@attrs.frozen(kw_only=True)
class World:
    """All that one decision may read of the present and of the call's past."""

    args: tuple[Any, ...] = ()
    hints: Map = EMPTY_MAP
    tenant: str = ""
    labels: Label = PUBLIC
    agent: str = ""
    environment: Mapping[str, str] = attrs.field(factory=dict)
    constraints: Mapping[str, str] = attrs.field(factory=dict)
    time_class: str = ""
    attempts: tuple[Attempt, ...] = ()
    draws: float = 0.5
    said: str | None = None
    """What every model says that is asked."""
    health: Health = Health.CLOSED
    latency: Latency | None = None
    load: int = 0
    price: Price = attrs.field(factory=Price)
    offer: Offer | None = None
    left: Left = Left.PLENTY
    sick: ExecTarget = attrs.field(factory=LocalPure)
    """The target of which the signals are; others are well, and nothing is known of them."""

    def signal(self, name: str, target: ExecTarget) -> Any:
        """Return a signal of a target."""
        return getattr(self if target == self.sick else _WELL, name)


_WELL = World()


@attrs.frozen
class _Told:
    """Signals of one world for the reads that are named, of another for all others."""

    kept: Collection[Read]
    first: World
    second: World

    def health(self, target: ExecTarget) -> Health:
        found: Health = self._of("health", target)
        return found

    def latency(self, target: ExecTarget) -> Latency | None:
        found: Latency | None = self._of("latency", target)
        return found

    def load(self, target: ExecTarget) -> int:
        found: int = self._of("load", target)
        return found

    def price(self, target: ExecTarget) -> Price:
        found: Price = self._of("price", target)
        return found

    def offer(self, target: ExecTarget) -> Offer | None:
        found: Offer | None = self._of("offer", target)
        return found

    def budget(self, name: str) -> Left:
        return (self.first if ("budget", name) in self.kept else self.second).left

    def rate(self, name: str) -> Left:
        return (self.first if ("rate", name) in self.kept else self.second).left

    def _of(self, name: str, target: ExecTarget) -> Any:
        world = self.first if (name, *spelled(target)) in self.kept else self.second
        return world.signal(name, target)


def told(
    symbol: str,
    kept: Collection[Read],
    first: World,
    second: World,
    *,
    candidates: tuple[Candidate, ...],
    answers: Mapping[str, str | None],
) -> Reads:
    """Return the reads of a decision in a world that is the first for what is `kept`, and the second for the rest.

    The past of a call is one thing: whether anything was tried for it is seen without a read, so both have the same.
    """
    names = {name for name, *_ in kept}

    def of(*reads: str) -> World:
        return first if names.intersection(reads) else second

    signals = _Told(kept, first, second)
    draws = {name: first.draws for kind, name, *_ in (read for read in kept if len(read) > 1) if kind == "draw"}
    asker = FakeAsker(
        first.attempts, _Draws(draws, second.draws), tenant=of("tenant").tenant, labels=of("labels").labels
    )
    return call_reads(
        symbol,
        *of(*_OF_ARGUMENTS).args,
        hints=of("hints", "metadata").hints,
        candidates=candidates,
        answers=answers,
        signals=Signals(targets=signals, budgets=signals, prices=signals, offers=signals),
        asker=asker,
        embedder=_WORDS,
        around=_Around(
            of("agent").agent, of("environment").environment, of("constraints").constraints, of("time_class").time_class
        ),
    )


@attrs.frozen
class _Around:
    """Surroundings."""

    agent: str
    environment: Mapping[str, str]
    constraints: Mapping[str, str]
    time_class: str


class _Draws(dict[str, float]):
    """Numbers by name; another name gives one number."""

    def __init__(self, known: Mapping[str, float], other: float) -> None:
        super().__init__(known)
        self._other = other

    def get(self, name: str, default: Any = None) -> Any:  # noqa: ARG002 - there is a number for every name
        """Return the number of a name."""
        return super().get(name, self._other)


def _offers(dollars: st.SearchStrategy[float | None]) -> st.SearchStrategy[Offer]:
    accepted = st.none() | st.frozensets(st.sampled_from(("internal", "pii")), max_size=2)
    target = st.builds(
        OfferedTarget,
        target=st.just("remote big"),
        accepts=accepted,
        input_cost=dollars,
        output_cost=dollars,
        quality=st.none() | st.sampled_from((0.2, 0.9)),
        health=st.sampled_from((Health.CLOSED, Health.OPEN)),
    )
    return st.builds(
        Offer,
        host=st.just("north"),
        targets=st.lists(target, max_size=2).map(tuple),
        accepts=accepted,
        room=st.sampled_from(Left),
    )


def worlds(arguments: Collection[tuple[Any, ...]], targets: Collection[ExecTarget]) -> st.SearchStrategy[World]:
    """Return drawn worlds with these arguments and targets."""
    seconds = st.sampled_from((0.1, 0.5, 2.0, 10.0))
    dollars = st.none() | st.sampled_from((0.0, 0.15, 3.0, 60.0))
    attempt = st.builds(
        Attempt,
        target=st.sampled_from(tuple(targets)),
        kind=st.sampled_from(FailureKind),
        seconds=seconds,
        reason=st.just("drawn"),
        retry_after=st.none() | seconds,
    )
    return st.builds(
        World,
        args=st.sampled_from(tuple(arguments)),
        hints=st.sampled_from((EMPTY_MAP, Map.of([(Keyword("runtime.learning.timeout"), 5)]))),
        tenant=st.sampled_from(("", "acme")),
        labels=st.frozensets(st.sampled_from(("internal", "pii", "secret")), max_size=2),
        agent=st.sampled_from(("", "clerk")),
        environment=st.sampled_from(({}, {"region": "eu"})),
        constraints=st.sampled_from(({}, {"latency": "low"})),
        time_class=st.sampled_from(("", "night")),
        attempts=st.just(()) | st.lists(attempt, max_size=3).map(tuple),
        draws=st.floats(0.0, 0.99),
        said=st.sampled_from(("local", "remote", "I cannot tell.", None)),
        health=st.sampled_from(Health),
        latency=st.none() | st.builds(Latency, p50=seconds, p95=seconds),
        load=st.sampled_from((0, 1, 8, 64)),
        price=st.builds(Price, input=dollars, output=dollars),
        offer=st.none() | _offers(dollars),
        left=st.sampled_from(Left),
        sick=st.sampled_from(tuple(targets)),
    )
