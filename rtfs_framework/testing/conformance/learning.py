"""The contract of engines that learn: a pure fold into bounded plain data, and decisions that say how they draw.

Inherit it beside `EngineConformance`: what is learned is folded by the host's own code, as in a run.
"""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from random import Random
from typing import Any

from rtfs_framework.api import (
    Candidate,
    DelegationPlan,
    EngineSettings,
    ExecTarget,
    FailureKind,
    LearningEngine,
    LocalModel,
    Outcome,
    RemoteModel,
    show_target,
)
from rtfs_framework.orchestrator.deciding.engines import flaw_of
from rtfs_framework.orchestrator.learning.fold import Folding, Learner
from rtfs_framework.orchestrator.learning.shelf import MemoryLearning
from rtfs_framework.registry.faults import Part
from rtfs_framework.registry.problems import Provenance
from rtfs_framework.testing.conformance.base import Conformance, check
from rtfs_framework.testing.conformance.traps import trapped
from rtfs_framework.testing.fakes import FakeAsker, call_reads, decided

TARGETS: Sequence[ExecTarget] = (LocalModel("small"), RemoteModel("cloud"), RemoteModel("other"))
SYMBOLS = ("ai-draft", "math-add", "spell-check")
_OUTCOMES = 400
_DRAWS = 1_000
_CLOSE = 2.0 / _DRAWS
_KINDS = (None, None, None, *FailureKind)
_MANY = 4_200
"""Functions that nobody remembers all."""


class LearningConformance(Conformance):
    """Inherit, and give `make` and `settings`."""

    @abstractmethod
    def make(self, settings: EngineSettings) -> LearningEngine:
        """Return a new engine."""

    @abstractmethod
    def settings(self) -> Sequence[EngineSettings]:
        """Return the settings to try."""

    def notes(self) -> Sequence[str]:
        """Return notes that outcomes carry; add those of the engine's own plans."""
        return ("", "of another engine", "a1", "\n", "a1 x y z", "é" * 1024)

    def test_states_are_plain_data(self) -> None:
        """What `initial` and `fold` return is kept as JSON and read back, and is the same then."""
        for engine in map(self.make, self.settings()):
            self._folded(engine, self._outcomes(_OUTCOMES))

    def test_fold_leaves_states_as_they_are(self) -> None:
        """It returns another one: decisions read the old one at the same time."""
        for engine in map(self.make, self.settings()):
            state: Mapping[str, Any] = engine.initial()
            for outcome in self._outcomes(60):
                before = deepcopy(dict(state))
                made = engine.fold(state, outcome)
                check(dict(state) == before, f"`fold` changed the state that it was given, by {outcome!r:.200}")
                state = made

    def test_equal_outcomes_make_equal_states(self) -> None:
        """Whoever folds them again has the same, from any state that was kept, bit for bit."""
        for chosen in self.settings():
            outcomes = list(self._outcomes(_OUTCOMES))
            whole, half = self._folded(self.make(chosen), outcomes), self._folded(self.make(chosen), outcomes[:200])
            again = Folding(_learner(self.make(chosen)))
            again.put(half.cells)
            _take(again, outcomes[200:], 200)
            check(_texts(again) == _texts(whole), "what was kept and read back makes another state")

    def test_folding_looks_at_nothing_else(self) -> None:
        """No clock, chance, environment, file, socket, process or thread."""
        for engine in map(self.make, self.settings()):
            folding = self._folded(engine, self._outcomes(20))
            with trapped() as looked:
                _take(folding, list(self._outcomes(40)), 100)
            check(not looked, f"`fold` looks at {', '.join(looked)}")

    def test_states_are_bounded(self) -> None:
        """However many functions a program makes, there is a bound on what is remembered of them."""
        engine = self.make(self.settings()[0])
        folding = Folding(_learner(engine))
        folding.begin()
        for number in range(_MANY):
            folding.take(Outcome(symbol=f"f{number}", target=TARGETS[number % 3], success=True), number + 2)

    def test_decisions_rest_on_what_was_published(self) -> None:
        """Equal states, draws and calls give equal plans, and these are sound."""
        for chosen in self.settings():
            learning = self._learned(self.make(chosen))
            for symbol in SYMBOLS:
                plans = [_decided(self.make(chosen), symbol, learning, 0.37) for _ in range(2)]
                check(plans[0] == plans[1], f"two engines of equal settings and states disagree about `{symbol}`")
                wrong = None if plans[0] is None else flaw_of(plans[0])
                check(wrong is None, f"the engine returned {wrong}")

    def test_propensities_are_those_of_the_draw(self) -> None:
        """A target is drawn as often as the plan says: estimates of other policies rest on that."""
        for chosen in self.settings():
            engine = self.make(chosen)
            learning = self._learned(engine)
            for symbol in SYMBOLS:
                _check_draws(engine, symbol, learning)

    def test_one_target_needs_no_learning(self) -> None:
        """Where one target can be used, the state changes nothing, and nothing is drawn."""
        for chosen in self.settings():
            engine, fresh = self.make(chosen), self.make(chosen)
            learning = self._learned(engine)
            for symbol in SYMBOLS:
                one = _decided(engine, symbol, learning, 0.99, count=1)
                other = _decided(fresh, symbol, MemoryLearning({}), 0.01, count=1)
                check(one == other, f"with one target, what was learned changes the plan of `{symbol}`")

    def _outcomes(self, count: int) -> Iterator[Outcome]:
        chance, notes = Random(7), self.notes()  # noqa: S311 - drawn, and always the same
        for number in range(count):
            kind = chance.choice(_KINDS)
            yield Outcome(
                symbol=chance.choice(SYMBOLS),
                target=chance.choice(TARGETS),
                success=kind is None,
                kind=kind,
                seconds=chance.expovariate(1.0),
                cost=chance.choice((None, 0.0, chance.random() / 100)),
                input_tokens=chance.randrange(1000),
                output_tokens=chance.randrange(1000),
                confidence=chance.choice((None, chance.random())),
                propensity=chance.choice((None, 0.25, 1.0)),
                note=chance.choice(notes),
                attempt=chance.randrange(3),
                feedback=chance.choice((None, None, 0.0, 0.7, 1.0)),
                at=1.7e9 + number,
            )

    def _folded(self, engine: LearningEngine, outcomes: Iterator[Outcome] | list[Outcome]) -> Folding:
        folding = Folding(_learner(engine))
        folding.begin()
        _take(folding, list(outcomes), 0)
        return folding

    def _learned(self, engine: LearningEngine) -> MemoryLearning:
        learning = MemoryLearning({"": engine}, every=1)
        learning.take(*self._outcomes(_OUTCOMES))
        return learning


def _check_draws(engine: LearningEngine, symbol: str, learning: MemoryLearning) -> None:
    counts: dict[ExecTarget, int] = {}
    shares: dict[ExecTarget, float] = {}
    for number in range(_DRAWS):
        plan = _decided(engine, symbol, learning, number / _DRAWS)
        if plan is None or plan.propensity is None:
            return
        counts[plan.target] = counts.get(plan.target, 0) + 1
        shares[plan.target] = plan.propensity
    for target, count in counts.items():
        off = abs(count / _DRAWS - shares[target])
        check(off <= _CLOSE, f"{show_target(target)} says {shares[target]:.4f}, and is drawn {count} of {_DRAWS} times")


def _decided(
    engine: LearningEngine, symbol: str, learning: MemoryLearning, number: float, *, count: int = len(TARGETS)
) -> DelegationPlan | None:
    candidates = tuple(Candidate(target, show_target(target)) for target in TARGETS[:count])
    asker = FakeAsker(draws=_Always(number))
    return decided(engine, call_reads(symbol, 1, candidates=candidates, learned=learning, asker=asker))


class _Always(dict[str, float]):
    """One number, whatever it is called."""

    def __init__(self, number: float) -> None:
        self.number = number

    def get(self, _name: str, _default: Any = None) -> float:
        """Return it."""
        return self.number


def _learner(engine: LearningEngine) -> Learner:
    return Learner.of("", engine, Part("engine", "", Provenance("", "", "")))


def _take(folding: Folding, outcomes: list[Outcome], start: int) -> None:
    for number, outcome in enumerate(outcomes):
        folding.take(outcome, start + number + 2)


def _texts(folding: Folding) -> list[tuple[str, int, Any]]:
    return [(name, cell.version, json.loads(cell.text)) for name, cell in folding.cells.items()]
