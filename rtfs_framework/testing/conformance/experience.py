"""The contract of layers of experience: cache layers that learn by a pure fold, and know what is near.

What they make of outcomes is bounded plain data; what they find is of what they were shown, the nearest first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from random import Random
from typing import Any, cast

import attrs

from rtfs_framework.api import (
    CacheSettings,
    Experience,
    ExperienceLayer,
    ExperienceQuestion,
    FailureKind,
    LocalModel,
    Outcome,
    RemoteModel,
    Situation,
)
from rtfs_framework.api.experience import is_experience
from rtfs_framework.orchestrator.learning.fold import Folding, Learner
from rtfs_framework.registry.faults import Part
from rtfs_framework.registry.problems import Provenance
from rtfs_framework.testing.clock import FakeClock
from rtfs_framework.testing.conformance.base import check
from rtfs_framework.testing.conformance.cache import CacheConformance
from rtfs_framework.testing.conformance.traps import trapped

_TARGETS = (LocalModel("small"), RemoteModel("cloud"), RemoteModel("other"))
_WORDS = ("mail", "invoice", "chess", "weather", "poem", "route")
_OUTCOMES = 300
_PART = Part("cache", "checked", Provenance("", "", ""))


class ExperienceConformance(CacheConformance):
    """Inherit, and give `make`."""

    def experienced(self, capacity: int = 50, ttl: float | None = 1_000.0) -> ExperienceLayer:
        """Return a new layer."""
        return cast("ExperienceLayer", self.make(CacheSettings(clock=FakeClock(), ttl=ttl), capacity))

    def test_states_are_bounded_plain_data(self) -> None:
        """What `fold` returns is kept as JSON and read back, holds no more than the capacity, and can be read."""
        layer = self.experienced(capacity=5)
        folding = _folded(layer, _outcomes(_OUTCOMES))
        check(folding.skipped == 0, f"{folding.skipped} outcomes could not be folded")
        check(len(folding.cells) == 5, f"{len(folding.cells)} situations in a layer for 5")
        check(all(map(is_experience, _known(layer, folding))), "a cell is no experience")
        layer.close()

    def test_fold_leaves_states_as_they_are_and_looks_at_nothing_else(self) -> None:
        """It returns another one, without clock, chance, file, socket or thread; and equal ones for equal outcomes."""
        layer, other = self.experienced(), self.experienced()
        state: Mapping[str, Any] = layer.initial()
        for outcome in _outcomes(40):
            before = deepcopy(dict(state))
            with trapped() as looked:
                made = layer.fold(state, outcome)
            check(not looked, f"`fold` looked at {', '.join(looked)}")
            check(dict(state) == before, "`fold` changed the state that it was given")
            check(dict(other.fold(before, outcome)) == dict(made), "another layer makes something else of it")
            state = made
        layer.close()
        other.close()

    def test_an_outcome_without_a_situation_teaches_nothing(self) -> None:
        """Such are those of older journals."""
        layer = self.experienced()
        folding = _folded(layer, (attrs.evolve(each, situation=None) for each in _outcomes(20)))
        check(not folding.cells and not folding.skipped, "something was made of outcomes without a situation")
        layer.close()

    def test_marks_keep_situations_apart(self) -> None:
        """Of equal calls that differ in their marks alone, each has a cell of its own."""
        layer = self.experienced()
        labels: Sequence[tuple[str, ...]] = ((), ("pii",), ("pii", "secret"))
        one = next(iter(_outcomes(1)))
        place = one.situation or Situation(symbol="f")
        made = (attrs.evolve(one, situation=attrs.evolve(place, labels=each)) for each in labels)
        found = {each.situation.labels for each in _known(layer, _folded(layer, made))}
        check(found == set(labels), f"of the marks {labels} there are {found}")
        layer.close()

    def test_time_goes_on_with_outcomes(self) -> None:
        """A situation goes with the first outcome after its time, and says before when that is."""
        layer = self.experienced(ttl=100.0)
        first, second = (attrs.evolve(each, at=0.0, kind=None, success=True) for each in _outcomes(2))
        folding = _folded(layer, [first])
        check([each.until for each in _known(layer, folding)] == [100.0], "`until` is not the outcome's time and `ttl`")
        folding.take(attrs.evolve(second, at=100.0), 9)
        (left,) = _known(layer, folding)
        check(left.at == 100.0, f"what is past its time was kept: {left!r}")
        layer.close()

    def test_what_is_near_is_of_what_was_shown(self) -> None:
        """No more than asked for, the nearest first, each once; the situation itself is the nearest there is."""
        layer = self.experienced()
        known = _known(layer, _folded(layer, _outcomes(_OUTCOMES)))
        for one in known:
            found = list(layer.nearest(known, ExperienceQuestion(situation=one.situation, most=4)))
            check(0 < len(found) <= 4, f"{len(found)} of at most 4 experiences")
            check(all(map(is_experience, found)), f"these are no experiences: {found!r:.80}")
            near = [each.nearness for each in found]
            check(near == sorted(near, reverse=True), f"not the nearest first: {near}")
            shown = [each.situation for each in known]
            check(all(each.situation in shown for each in found), "an experience was made up")
            check(found[0].situation == one.situation and near[0] == 1.0, "a situation is not the nearest to itself")
        layer.close()

    def test_nearness_may_rest_on_vectors(self) -> None:
        """Those that the host gives: what has the same vector is nearer than what has another one."""
        layer = self.experienced()
        places = {"a": (1.0, 0.0), "b": (0.9, 0.1), "c": (0.0, 1.0)}
        known = [Experience(situation=Situation(symbol=name, text=name), plans=()) for name in ("c", "b")]
        question = ExperienceQuestion(situation=Situation(symbol="a", text="a"), most=2, vector=places.get)
        found = [each.situation.symbol for each in layer.nearest(known, question)]
        check(found[:1] == ["b"], f"the nearest to (1, 0) of (0, 1) and (0.9, 0.1) is not {found}")
        layer.close()


def _outcomes(count: int) -> Iterator[Outcome]:
    dice = Random("outcomes")  # noqa: S311 - drawn the same each time
    kinds: Sequence[FailureKind | None] = (None, None, None, FailureKind.REPLY, FailureKind.SAFE, FailureKind.UNCERTAIN)
    for number in range(count):
        word, kind = _WORDS[number % len(_WORDS)], dice.choice(kinds)
        place = Situation(
            symbol=f"app/{word}",
            text=f"{word}. Works on a {word}. Takes text :string.",
            types=dice.choice(((":string",), (":nil",))),
            user=dice.choice(("", "clerk")),
            time_class=dice.choice(("morning", "night")),
        )
        yield Outcome(
            symbol=place.symbol,
            target=dice.choice(_TARGETS),
            success=kind is None,
            kind=kind,
            seconds=dice.random(),
            cost=dice.choice((None, 0.0, 0.01)),
            feedback=dice.random() if dice.random() < 0.1 else None,
            at=float(number),
            situation=place,
        )


def _folded(layer: ExperienceLayer, outcomes: Iterator[Outcome] | Sequence[Outcome]) -> Folding:
    fold: Callable[[Any, Outcome], Any] = layer.fold
    folding = Folding(Learner("checked", _PART, layer.initial, fold))
    folding.begin()
    for number, outcome in enumerate(outcomes, start=2):
        folding.take(outcome, number)
    return folding


def _known(layer: ExperienceLayer, folding: Folding) -> list[Experience]:
    return [layer.read(each.value) for each in folding.cells.values()]
