"""What comes with a run from elsewhere: who asked, the marks of what it is given, what it may spend, why it was ended.

A purse is a bound of one run, besides the budgets of its host.
Requests reserve before they are sent and settle when they are over, from any thread.
"""

from __future__ import annotations

from collections.abc import Mapping
from threading import Lock
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.api.labels import PUBLIC, Label
from rtfs_framework.api.remote import NO_JOURNEY, Journey
from rtfs_framework.lang.errors import Cancelled, LimitError, ProgramError

if TYPE_CHECKING:
    from rtfs_framework.orchestrator.recording.floating import Gathered

NANO = 1_000_000_000


@attrs.frozen(slots=True)
class Spending:
    """Nano-dollars, tokens and calls."""

    nano: int = 0
    tokens: int = 0
    calls: int = 0

    def __add__(self, other: Spending) -> Spending:
        """Return both together."""
        return Spending(self.nano + other.nano, self.tokens + other.tokens, self.calls + other.calls)

    def __sub__(self, other: Spending) -> Spending:
        """Return what is left without another amount."""
        return Spending(self.nano - other.nano, self.tokens - other.tokens, self.calls - other.calls)

    def to_json(self) -> list[int]:
        """Return JSON-ready data."""
        return [self.nano, self.tokens, self.calls]


NOTHING_SPENT = Spending()


@attrs.define(slots=True, eq=False)
class Purse:
    """What is left of what a run may spend; None is no bound.

    Below zero is what requests took beyond their bounds: later settlements pay it back first.
    """

    nano: int | None = None
    tokens: int | None = None
    calls: int | None = None
    _lock: Lock = attrs.field(factory=Lock, init=False)

    @property
    def left(self) -> tuple[float | None, int | None, int | None]:
        """US dollars, tokens and calls that are left, never less than nothing."""
        return self.left_to(NOTHING_SPENT)

    def left_to(self, reserved: Spending) -> tuple[float | None, int | None, int | None]:
        """Return what whoever has reserved so much may use: that, and what is left besides."""
        with self._lock:
            both = Spending(*(each or 0 for each in self._each())) + reserved
            nano, tokens, calls = (
                None if bound is None else max(0, each)
                for bound, each in zip(self._each(), both.to_json(), strict=True)
            )
        return None if nano is None else nano / NANO, tokens, calls

    def take(self, wanted: Spending) -> str | None:
        """Reserve; return what there is not enough of, None when all is taken."""
        with self._lock:
            for name in ("nano", "tokens", "calls"):
                left = getattr(self, name)
                if left is not None and max(0, left) < getattr(wanted, name):
                    return {"nano": "money"}.get(name, name)
            self._change(wanted, -1)
            return None

    def settle(self, reserved: Spending, took: Spending) -> None:
        """Give back what was reserved, and count what it took."""
        with self._lock:
            self._change(reserved, 1)
            self._change(took, -1)

    def _change(self, amount: Spending, sign: int) -> None:
        for name in ("nano", "tokens", "calls"):
            left = getattr(self, name)
            if left is not None:
                setattr(self, name, left + sign * getattr(amount, name))

    def _each(self) -> tuple[int | None, int | None, int | None]:
        return self.nano, self.tokens, self.calls


class RunStopped(Cancelled):
    """A run that was ended from outside, for a reason in words of this host's own."""


class RunCancelled(RunStopped):
    """A run that somebody has ended for good."""


class RunParked(Cancelled):
    """A run that has come to where it must wait, and whose process does not wait with it: it is gone on with later."""

    exit_code = 75
    """Of a command that ends with it: EX_TEMPFAIL of sysexits."""

    def __init__(self, what: str, run: str, resuming: str) -> None:
        super().__init__(f"waiting: the run waits {what}; go on with `{resuming}`")
        self.what = what
        self.run = run


@attrs.define(slots=True, eq=False)
class Stopping:
    """Why a run is ended from outside: said before it is cancelled, "" while nobody does."""

    why: str = ""


def status_of(error: BaseException) -> str:
    """Return the journal's word for how a run ended: only what its program did is its end for good."""
    if isinstance(error, RunParked):
        return "waiting"
    if isinstance(error, RunCancelled):
        return "cancelled"
    return "failed" if isinstance(error, ProgramError | LimitError) else "interrupted"


@attrs.frozen(slots=True, kw_only=True)
class Asker:
    """Who asked for a run, for its record alone: nothing that decides reads it."""

    token: str = ""
    """The name of the token: this is known."""
    host: str = ""
    """The host that the request passed last, and the run and call there, with the head of its journal: as told."""
    run: str = ""
    call: str = ""
    head: str = ""
    queue: str = ""
    """The item of the durable queue by which it was ordered."""

    def to_json(self) -> dict[str, str]:
        """Return what there is of it, as JSON-ready data."""
        return {name: text for name, text in attrs.asdict(self).items() if text}


NO_ASKER = Asker()


@attrs.frozen(slots=True, eq=False, kw_only=True)
class Terms:
    """On which terms somebody asked for a run."""

    marks: Label = PUBLIC
    """Those of all that it is given, its text included, besides what the configuration says."""
    purse: Purse | None = None
    """What it may spend; None for no bound but the host's."""
    journey: Journey = NO_JOURNEY
    """How it came to this host."""
    carried: Gathered | None = None
    """Told of the marks of all that it is given, whether it ends well or not."""
    run: str | None = None
    """Its id, of 32 hexadecimal digits, where it was given one before (it was ordered by a queue); its draws follow."""
    asker: Asker = NO_ASKER
    stopping: Stopping | None = None
    """Says why it is ended from outside; None where nobody says so."""

    def to_json(self) -> dict[str, Any]:
        """Return what whoever goes on with the run is held to, as JSON-ready data; nothing of usual terms."""
        purse, journey = self.purse, self.journey
        said: dict[str, Any] = {
            "purse": None if purse is None else [purse.nano, purse.tokens, purse.calls],
            "marks": sorted(self.marks),
            "journey": None if journey == NO_JOURNEY else attrs.asdict(journey),
        }
        return {name: value for name, value in said.items() if value}

    @classmethod
    def of_json(cls, said: Mapping[str, Any]) -> Terms:
        """Return the terms of such data."""
        purse, journey = said.get("purse"), said.get("journey")
        return cls(
            purse=None if purse is None else Purse(*purse),
            marks=frozenset(said.get("marks", ())),
            journey=NO_JOURNEY if journey is None else Journey(**{**journey, "via": tuple(journey["via"])}),
        )


USUAL_TERMS = Terms()
