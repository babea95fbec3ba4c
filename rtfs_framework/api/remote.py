"""What travels with a request to another RTFS host, and what comes back of its run there.

In: filled by the host for providers whose entry says `travels`. Out: a provider turns it into a request of the protocol
(docs/arbiter.md). Programs travel as source; whoever runs them compiles them, under rules of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from rtfs_framework.api.labels import PUBLIC, Label
from rtfs_framework.api.signals import Health, Left

MOST_HOPS = 8
"""Hosts that a request may pass at most, whoever asks for more."""


@attrs.frozen(slots=True, kw_only=True)
class Allowance:
    """What a request may use at most; None for no bound."""

    money: float | None = None
    """US dollars."""
    tokens: int | None = None
    calls: int | None = None


@attrs.frozen(slots=True, kw_only=True)
class Journey:
    """How a run came to this host: empty for one that began here."""

    via: tuple[str, ...] = ()
    """The ids of the hosts that the request has passed, this one last."""
    hops: int | None = None
    """Hosts that it may still go to; None where nobody has said so."""
    key: str = ""
    """The asker's idempotency key: a run that is made again for it asks further hosts by the same keys."""


NO_JOURNEY = Journey()


@attrs.frozen(slots=True, kw_only=True)
class Travelling:
    """A program as it travels: its text, and which function of it is called with the arguments."""

    name: str
    source: str
    entry: str


@attrs.frozen(slots=True, kw_only=True)
class Bounds:
    """The rules that a program takes along: the host that runs it lets it do what both allow."""

    level: str = "controlled"
    reach: str = "remote"
    grant: tuple[str, ...] | None = None
    """Capabilities; None for no bound but the other host's own."""
    deny: tuple[str, ...] = ()
    agent: str = ""
    environment: Mapping[str, str] = attrs.field(factory=dict)
    constraints: Mapping[str, str] = attrs.field(factory=dict)


NO_BOUNDS = Bounds()


@attrs.frozen(slots=True, kw_only=True)
class AskedBy:
    """Who asks, for the other host's record: the run, the head of its journal, and the call's id. "" where none is."""

    run: str = ""
    head: str = ""
    call: str = ""


NOBODY = AskedBy()


@attrs.frozen(slots=True, kw_only=True)
class Travel:
    """What goes along with one request to another host."""

    program: Travelling
    args: tuple[Any, ...] = ()
    labels: Label = PUBLIC
    bounds: Bounds = NO_BOUNDS
    journey: Journey = NO_JOURNEY
    allowance: Allowance | None = None
    """What this request may use, None for no bound."""
    key: str = ""
    """Equal for the attempts of one call at one target: the other host answers them once, alike."""
    asked_by: AskedBy = NOBODY


@attrs.frozen(slots=True, kw_only=True)
class RemoteRun:
    """The run on another host that gave an answer: who keeps its record, and the head that stands for it."""

    host: str
    run: str
    head: str = ""
    labels: Label = attrs.field(default=PUBLIC, repr=False)
    """The marks of its answer."""
    target: str = attrs.field(default="", eq=False)
    """The configured target that asked there, as records say it; the host sets it."""
    value: Any = attrs.field(default=None, eq=False, repr=False)
    """Its answer as that host wrote it, for whoever declared no type."""

    def to_json(self) -> dict[str, str]:
        """Return what records say of it, as JSON-ready data."""
        found = {"host": self.host, "run": self.run, "head": self.head}
        return {**found, "target": self.target} if self.target else found


@attrs.frozen(slots=True, kw_only=True)
class OfferedTarget:
    """A target that another host has, as far as it says so: costs are US dollars per million tokens."""

    target: str
    """As that host writes it, such as "remote big"."""
    local: bool = False
    """Whether data stays on that host."""
    accepts: Label | None = None
    """The marks that its requests may carry; None for any."""
    input_cost: float | None = None
    output_cost: float | None = None
    quality: float | None = None
    health: Health = Health.CLOSED


def _sorted(marks: Label | None) -> list[str] | None:
    return None if marks is None else sorted(marks)


@attrs.frozen(slots=True, kw_only=True)
class Offer:
    """What another host can do now: a signal, banded like the others. Free text is no part of it."""

    host: str
    """Its id."""
    targets: tuple[OfferedTarget, ...] = ()
    accepts: Label | None = None
    """The marks that requests to it may carry; None for any."""
    room: Left = Left.PLENTY
    """How much of its places for requests is free."""
    capabilities: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """One text that stands for all of it."""
        targets = [
            (each.target, each.local, _sorted(each.accepts), each.input_cost, each.output_cost, each.quality,
             each.health.value)
            for each in self.targets
        ]  # fmt: skip
        return repr((self.host, targets, _sorted(self.accepts), self.room.value, self.capabilities))

    @property
    def cheapest(self) -> float | None:
        """The least that a target of it costs that may be asked now: input and output together; None for no word."""
        costs = [
            each.input_cost + each.output_cost
            for each in self.targets
            if each.health.passes and each.input_cost is not None and each.output_cost is not None
        ]
        return min(costs, default=None)

    @property
    def quality(self) -> float | None:
        """The best quality of a target of it that may be asked now; None where nobody says one."""
        return max((each.quality for each in self.targets if each.health.passes and each.quality), default=None)


@attrs.frozen(slots=True, kw_only=True)
class Followed:
    """What another host says of a run that it keeps: whether it is as it was written, and what it rests on further."""

    run: str
    head: str = ""
    ok: bool = False
    problems: tuple[str, ...] = ()
    followed: tuple[Followed, ...] = ()
    """The runs on further hosts that it asked."""
    asked_by: AskedBy = NOBODY
    """Who asked for it, as its record has it."""
    host: str = ""
