"""The contract of delegation engines: deterministic, pure, and honest about what they might send away.

Needs hypothesis, which draws the symbols.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from rtfs_framework.api import (
    CallContext,
    Consult,
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
from rtfs_framework.testing.fakes import call_context

ROUTES: Mapping[str, ExecTarget] = {
    "ai-*": RemoteModel("cloud"),
    "math-*": LocalPure(),
    "ai-draft": LocalModel("small"),
    "*-check": LocalModel("small"),
    "empty?": LocalModel("small"),
}
"""Routes of every shape: prefix, suffix, exact, and a name that looks like a pattern."""

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

    def answers(self) -> Iterable[str]:
        """Return what a consulted model might say to your engine."""
        return ("", "local", "remote", "I cannot tell.")

    def test_the_same_context_gets_an_equal_plan(self) -> None:
        """Asked twice, asked of another engine, or asked again after other questions."""
        for chosen in self.settings():
            first, second = self.make(chosen), self.make(chosen)
            contexts = [call_context(symbol, 1, "x") for symbol in self.symbols()]
            told = [first.decide(context) for context in contexts]
            again = [first.decide(context) for context in reversed(contexts)][::-1]
            other = [second.decide(context) for context in contexts]
            check(told == again, "an engine changed its mind about an equal context")
            check(told == other, "two engines of equal settings disagree")

    def test_plans_are_complete(self) -> None:
        """A confidence within 0..1, a reason in words, and no time of its own."""
        for _, plan in self._plans():
            check(isinstance(plan, DelegationPlan), f"{plan!r} is no plan")
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
                engine.decide(call_context(symbol))
            check(sorted(engine.claims()) == before, "claims changed after a decision")
            check(all(isinstance(claim, str) for claim in before), "claims are texts")

    def _are_covered(self, engine: DelegationEngine, claimed: Claimed, names: st.SearchStrategy[str]) -> None:
        """Check the suite's symbols and drawn ones."""

        def covers(symbol: str) -> None:
            told = engine.decide(call_context(symbol))
            away = isinstance(told, Consult) or not isinstance(told.target, LocalPure)
            check(not away or claimed(symbol) is not None, f"`{symbol}` is not claimed, but sent away by {told!r}")

        for symbol in self.symbols():
            covers(symbol)
        settings(max_examples=60, deadline=None, derandomize=True, database=None)(given(names)(covers))()

    def _plans(self) -> Iterable[tuple[CallContext, DelegationPlan]]:
        """Return every plan for the settings and symbols, also those that follow a consultation."""
        for chosen in self.settings():
            engine = self.make(chosen)
            for symbol in self.symbols():
                context = call_context(symbol)
                told = engine.decide(context)
                if isinstance(told, Consult):
                    yield from ((context, engine.conclude(context, told, answer)) for answer in self.answers())
                else:
                    yield context, told


def _names(claims: Sequence[str]) -> st.SearchStrategy[str]:
    """Return drawn names: any, and those that claims match (a wildcard replaced by any text)."""
    if not claims:
        return _TEXTS
    filled = st.tuples(st.sampled_from(claims), _TEXTS).map(lambda drawn: drawn[0].replace("*", drawn[1]))
    return st.one_of(_TEXTS, filled)
