"""The contract of delegation engines: deterministic, pure, and honest about what they might send away.

Needs hypothesis, which draws the symbols.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from typing import Any

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from rtfs_framework.api import (
    Candidate,
    DelegationEngine,
    DelegationPlan,
    EngineSettings,
    ExecTarget,
    LocalModel,
    LocalPure,
    RemoteModel,
    compile_patterns,
    show_target,
)
from rtfs_framework.testing.conformance.base import Conformance, check
from rtfs_framework.testing.conformance.traps import trapped
from rtfs_framework.testing.conformance.worlds import Read, World, told, worlds
from rtfs_framework.testing.fakes import call_reads, decided

ROUTES: Mapping[str, tuple[ExecTarget, ...]] = {
    "ai-*": (RemoteModel("cloud"),),
    "math-*": (LocalPure(),),
    "ai-draft": (LocalModel("small"), RemoteModel("cloud")),
    "*-check": (LocalModel("small"),),
    "empty?": (LocalModel("small"),),
}
"""Routes of every shape: prefix, suffix, exact, several targets, and a name that looks like a pattern."""

CANDIDATES = (Candidate(LocalModel("small"), "small"), Candidate(RemoteModel("cloud"), "cloud"))
"""The targets that can be used where the suite asks."""

ARGUMENTS: Sequence[tuple[Any, ...]] = ((), (1,), ("a text",), (1, "x"), ((1, 2, 3),), ("x" * 5_000,))
"""Arguments of calls that the suite asks about."""

ANSWERS = ("local", "remote", "I cannot tell.", None)
"""What a consulted model might say; None is no answer."""

_MOST_QUESTIONS = 2

_DRAWN = settings(
    deadline=None,
    derandomize=True,
    database=None,
    # Not `explain`: it traces every line that runs, and a found fault would take minutes.
    phases=(Phase.generate, Phase.shrink),
)
"""How the suite draws: alike each time."""

Claimed = Callable[[str], int | None]
"""From a symbol to the claim that covers it."""

_TEXTS = st.text("aimth-draftchek?/*", max_size=12)


class EngineConformance(Conformance):
    """Inherit, and give `make`."""

    @abstractmethod
    def make(self, settings: EngineSettings) -> DelegationEngine:
        """Return a new engine."""

    def settings(self) -> Sequence[EngineSettings]:
        """Return the settings to try; add those that bring out what is particular to your engine."""
        return (
            EngineSettings(),
            EngineSettings(routes=ROUTES),
            EngineSettings(routes=ROUTES, default=LocalPure()),
            EngineSettings(routes=ROUTES, default=RemoteModel("cloud")),
            EngineSettings(default=LocalModel("small")),
        )

    def symbols(self) -> Iterable[str]:
        """Return symbols that the suite tries besides the drawn ones; add those that your engine treats specially."""
        return ("ai-draft", "ai-draft-2", "math-add", "spell-check", "ai-check", "empty?", "emptyx", "*", "", "x/y")

    def test_the_same_context_gets_an_equal_plan(self) -> None:
        """Asked twice, asked of another engine, or asked again after other questions."""
        for chosen in self.settings():
            first, second = self.make(chosen), self.make(chosen)
            calls = [(symbol, args) for symbol in self.symbols() for args in ARGUMENTS]
            told = [_decided(first, *call) for call in calls]
            again = [_decided(first, *call) for call in reversed(calls)][::-1]
            other = [_decided(second, *call) for call in calls]
            check(told == again, "an engine changed its mind about an equal context, or read other things of it")
            check(told == other, "two engines of equal settings disagree")

    def test_nothing_but_the_context_is_looked_at(self) -> None:
        """No clock, chance, environment, file, socket, process or thread: whoever looks at one of them is told."""
        for chosen in self.settings():
            engine = self.make(chosen)
            for symbol in self.symbols():
                _decided(engine, symbol, (1, "x"))  # imports what it imports
                with trapped() as looked:
                    _decided(engine, symbol, (1, "x"))
                check(not looked, f"`decide` looks at {', '.join(looked)}")

    def test_what_was_not_read_never_changes_a_plan(self) -> None:
        """Footprints are complete: calls that agree in all that was read of one have equal plans and footprints."""
        for chosen in self.settings():
            engine = self.make(chosen)
            for symbol in self.symbols():
                seen: list[tuple[_Footprint, DelegationPlan | None]] = []
                for args in ARGUMENTS:
                    plan, footprint = _decided(engine, symbol, args)
                    for other, before in seen:
                        agree = all(_key(symbol, args, read) == key for read, key in other.items())
                        check(not agree or plan == before, f"the plan of `{symbol}` rests on what was not read")
                    seen.append((footprint, plan))

    def test_no_world_that_answers_its_reads_alike_changes_a_plan(self) -> None:
        """Footprints are complete: signals, draws, hints and arguments that were not read never change a plan."""
        for chosen in self.settings():
            _rests_on_reads(self.make(chosen), tuple(self.symbols()))

    def test_plans_are_complete(self) -> None:
        """A confidence within 0..1, a reason in words, and no time of its own."""
        for chosen in self.settings():
            engine = self.make(chosen)
            for plan in (_decided(engine, s, (1,), said)[0] for s in self.symbols() for said in ANSWERS):
                check(plan is None or isinstance(plan, DelegationPlan), f"{plan!r} is no plan")
                if plan is not None:
                    check(0.0 <= plan.confidence <= 1.0, f"a confidence of {plan.confidence}")
                    check(bool(plan.reasoning.strip()), f"no reasoning for {show_target(plan.target)}")
                    check(plan.created_at == 0.0, "an engine reads no clock: created_at is the orchestrator's")

    def test_claims_cover_what_is_sent_away(self) -> None:
        """A symbol that gets another target than `LocalPure` was claimed: what is not claimed is never asked."""
        for chosen in self.settings():
            engine = self.make(chosen)
            claims = tuple(engine.claims())
            self._are_covered(engine, compile_patterns(claims), _names(claims))

    def test_claims_do_not_change(self) -> None:
        """They are asked once, at link time, so they must be what they would be later."""
        for chosen in self.settings():
            engine = self.make(chosen)
            before = sorted(engine.claims())
            for symbol in self.symbols():
                _decided(engine, symbol, ())
            check(sorted(engine.claims()) == before, "claims changed after a decision")
            check(all(isinstance(claim, str) for claim in before), "claims are texts")

    def _are_covered(self, engine: DelegationEngine, claimed: Claimed, names: st.SearchStrategy[str]) -> None:
        """Check the suite's symbols and drawn ones."""

        def covers(symbol: str) -> None:
            for said in ANSWERS:
                plan, _ = _decided(engine, symbol, (), said)
                away = plan is not None and not isinstance(plan.target, LocalPure)
                check(not away or claimed(symbol) is not None, f"`{symbol}` is not claimed, but sent away by {plan!r}")

        for symbol in self.symbols():
            covers(symbol)
        settings(_DRAWN, max_examples=60)(given(names)(covers))()


_Footprint = Mapping[tuple[str, ...], Hashable]


def _decided(
    engine: DelegationEngine, symbol: str, args: tuple[Any, ...], said: str | None = None
) -> tuple[DelegationPlan | None, _Footprint]:
    """Return an engine's plan and what it read; every question is answered with `said`."""
    answers: dict[str, str | None] = {}
    while True:
        reads = call_reads(symbol, *args, candidates=CANDIDATES, answers=answers)
        plan = decided(engine, reads)
        if reads.question is None:
            return plan, dict(reads.noted)
        check(len(answers) < _MOST_QUESTIONS, "a third question about one call")
        answers[reads.question.text] = said


def _rests_on_reads(engine: DelegationEngine, symbols: Sequence[str]) -> None:
    """Compare an engine's plans in drawn worlds that agree in all that it read."""

    def agrees(symbol: str, first: World, second: World) -> None:
        plan, footprint = _in_world(engine, symbol, (), first, first)
        other, again = _in_world(engine, symbol, footprint, first, second)
        check(plan == other, f"the plan of `{symbol}` rests on what was not read: {first!r}, {second!r}")
        check(list(footprint) == list(again), f"what is read for `{symbol}` rests on what was not read")

    world = worlds(ARGUMENTS, [candidate.target for candidate in CANDIDATES])
    drawn = given(st.sampled_from(symbols), world, world)
    settings(_DRAWN, max_examples=80)(drawn(agrees))()


def _in_world(
    engine: DelegationEngine, symbol: str, kept: Collection[Read], first: World, second: World
) -> tuple[DelegationPlan | None, _Footprint]:
    """Return an engine's plan and what it read, where the second world answers all reads but those that are kept."""
    answers: dict[str, str | None] = {}
    while True:
        reads = told(symbol, kept, first, second, candidates=CANDIDATES, answers=answers)
        plan = decided(engine, reads)
        if reads.question is None:
            return plan, dict(reads.noted)
        check(len(answers) < _MOST_QUESTIONS, "a third question about one call")
        answers[reads.question.text] = first.said


def _key(symbol: str, args: tuple[Any, ...], read: tuple[str, ...]) -> Hashable:
    return call_reads(symbol, *args).look(read)[0]


def _names(claims: Sequence[str]) -> st.SearchStrategy[str]:
    """Return drawn names: any, and those that claims match (a wildcard replaced by any text)."""
    if not claims:
        return _TEXTS
    filled = st.tuples(st.sampled_from(claims), _TEXTS).map(lambda drawn: drawn[0].replace("*", drawn[1]))
    return st.one_of(_TEXTS, filled)
