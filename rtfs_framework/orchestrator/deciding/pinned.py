"""Pinned plans: where a program's calls go, decided before it runs and reviewed by people.

In: the entries of a plan, and what it rests on. Out: for a call its entry, if there is one for the function as it is
now. A pinned plan stands between hints and static routes, memory and engines. It only chooses: deny rules and hints go
before it, and what reach, labels, guards and budgets say of a target holds for one that is pinned, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath
from typing import TYPE_CHECKING

import attrs

from rtfs_framework.api.plans import DelegationPlan, PlanSource
from rtfs_framework.api.targets import ExecTarget, show_target
from rtfs_framework.lang.digest import digest
from rtfs_framework.orchestrator.recording.records import Decision

if TYPE_CHECKING:
    from rtfs_framework.api.plans import Candidate
    from rtfs_framework.kernel.outcome import HostCall
    from rtfs_framework.lang.source import Place
    from rtfs_framework.orchestrator.deciding.known import Known
    from rtfs_framework.orchestrator.deciding.precedence import Precedence

_BEFORE = frozenset({PlanSource.POLICY, PlanSource.HINT})
"""What goes before a pinned plan."""


@attrs.frozen(slots=True)
class Pin:
    """Where the calls at one place go, or those of a function at all places."""

    symbol: str
    target: ExecTarget
    function: str
    """The function's digest."""
    place: str = ""
    why: str = ""


@attrs.frozen(slots=True, kw_only=True)
class Pinned:
    """The plan of one program."""

    name: str
    """The file's."""
    program: str
    """The program's file, without its folder."""
    digest: str = ""
    """Of the file's text."""
    pins: tuple[Pin, ...] = ()
    policy: Mapping[str, str] = attrs.field(factory=dict)
    """The digests of the policy's parts, by name."""
    candidates: Mapping[str, str] = attrs.field(factory=dict)
    """What was known of the targets, by their texts, as digests."""
    path: str = attrs.field(default="", eq=False)
    """As it was named."""
    asked_for: bool = True
    """Whether somebody named the file for this program; a configuration names one for whatever program it is of."""
    _at: Mapping[tuple[str, str], Pin] = attrs.field(init=False, repr=False, eq=False)
    _of_all: Mapping[str, Pin] = attrs.field(init=False, repr=False, eq=False)

    @_at.default
    def _by_place(self) -> Mapping[tuple[str, str], Pin]:
        return {(each.symbol, each.place): each for each in self.pins if each.place}

    @_of_all.default
    def _by_symbol(self) -> Mapping[str, Pin]:
        """Return the entries of functions whose calls all go to one target: they hold wherever a call is made."""
        found: dict[str, Pin] = {}
        several: set[str] = set()
        for each in self.pins:
            first = found.setdefault(each.symbol, each)
            if not each.place:
                found[each.symbol] = each
                several.discard(each.symbol)
            elif first.place and first.target != each.target:
                several.add(each.symbol)
        return {symbol: each for symbol, each in found.items() if symbol not in several}

    @property
    def symbols(self) -> frozenset[str]:
        """The functions of which it says something."""
        return frozenset(each.symbol for each in self.pins)

    def of(self, symbol: str, function: str, place: Place | None) -> Pin | None:
        """Return the entry for a call, None when there is none, or it is of another version of the function."""
        found = None if place is None else self._at.get((symbol, place_text(place)))
        found = found or self._of_all.get(symbol)
        return found if found is not None and found.function == function else None


def place_text(place: Place) -> str:
    """Return a place as plans write it: without the folder, so that a plan holds wherever the program lies."""
    return f"{PurePath(place.source).name}:{place.line}:{place.column}"


def candidate_digest(known: Candidate) -> str:
    """Return a digest of what is known of a target: a plan rests on its price, quality and kind."""
    shown = (known.provider, known.model, known.input_cost, known.output_cost, known.quality, known.context_window)
    return digest(*shown, known.idempotent, known.deterministic)[:16]


def decided_before(pinned: Pinned, known: Known, call: HostCall, precedence: Precedence) -> Decision | None:
    """Return what a pinned plan decides about a call, None where it says nothing, or a rule or hint goes before it."""
    if known.fixed is not None and known.fixed.plan.source in _BEFORE:
        return None
    function = known.facts.function
    pin = pinned.of(function.name, function.body_digest, call.place)
    if pin is None:
        return None
    made = known.pins.get(pin)
    if made is None:
        made = known.pins[pin] = _made(pinned, pin, known, precedence)
    return made


def _made(pinned: Pinned, pin: Pin, known: Known, precedence: Precedence) -> Decision:
    text = f"{pinned.name}: {show_target(pin.target)}"
    plan = DelegationPlan(
        target=pin.target,
        reasoning=f"pinned by {text}",
        source=PlanSource.PINNED,
        context=(("plan", f"{pinned.name} {pinned.digest[:12]}".rstrip()),),
        created_at=precedence.clock.now(),
    )
    plan, note = precedence.review(plan)
    steps = (("deny", "no rule"), ("hint", "none"), ("pinned plan", text))
    return Decision(plan, steps if note is None else (*steps, ("security", note)), grounds=known.grounds)
