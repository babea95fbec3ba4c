"""What the engine decides among equals, and what it proposes after what it has seen."""

from __future__ import annotations

import attrs
import pytest

from rtfs_engine_predictive.engine import PredictiveEngine
from rtfs_engine_predictive.settings import PredictiveSettings
from rtfs_framework.api import (
    Attempt,
    Candidate,
    DelegationPlan,
    EngineSettings,
    FailureKind,
    Health,
    Latency,
    LocalModel,
    PlanSource,
    RemoteModel,
    TargetText,
)
from rtfs_framework.api.learning import Outcome
from rtfs_framework.orchestrator.deciding.signals import Signals
from rtfs_framework.orchestrator.performing.warming import Context
from rtfs_framework.testing.fakes import FakeAsker, call_reads, decided

A, B, C, OTHER = RemoteModel("a"), RemoteModel("b"), RemoteModel("c"), LocalModel("other")
TARGETS = {"remote-a": A, "remote-b": B, "remote-c": C, "local-other": OTHER}
CANDIDATES = tuple(Candidate(each, "p") for each in TARGETS.values())
HOUR, DAY = 3600.0, 86_400.0


class Always:
    """Chooses one target."""

    def __init__(self, target):
        self.target = target

    def claims(self):
        return ("*",)

    def decide(self, context):
        return DelegationPlan(target=self.target, reasoning="always", source=PlanSource.ENGINE, engine="always")


@attrs.frozen
class Measured:
    """What is measured of targets."""

    loads: dict = attrs.field(factory=dict)
    latencies: dict = attrs.field(factory=dict)
    healths: dict = attrs.field(factory=dict)

    def health(self, target):
        return self.healths.get(target, Health.CLOSED)

    def latency(self, target):
        return self.latencies.get(target)

    def load(self, target):
        return self.loads.get(target, 0)


def engine(*names, base=A, **own):
    groups = (tuple(map(TargetText, names)),) if names else ()
    own = PredictiveSettings(equal=groups, **own)
    return PredictiveEngine(EngineSettings(children={"base": (Always(base),)}, own=own, targets=TARGETS))


def reads(draws=(0.0, 0.0), attempts=(), candidates=CANDIDATES, **measured):
    asker = FakeAsker(attempts=attempts, draws=dict(zip(("first", "second"), draws, strict=True)))
    return call_reads("f", 1, candidates=candidates, asker=asker, signals=Signals(targets=Measured(**measured)))


def target_of(made, **facts):
    return decided(made, reads(**facts)).target


def test_a_target_in_no_group_is_the_bases_and_nothing_is_read():
    found = reads()
    assert decided(engine("remote-b", "remote-c"), found) == Always(A).decide(None)
    assert not found.noted
    assert decided(PredictiveEngine(EngineSettings()), reads()) is None


def test_of_two_the_less_busy_takes_the_call_and_nothing_is_drawn():
    made = engine("remote-a", "remote-b")
    found = reads(loads={A: 4, B: 1})
    plan = decided(made, found)
    assert plan.target == B
    assert plan.reasoning == "always; remote b instead: the less busy of remote a and remote b"
    assert found.kept, "such a plan is kept"
    assert target_of(made, loads={A: 1, B: 4}) == A
    assert target_of(made) == A, "of equal waits the base's own"


def test_the_wait_counts_how_long_a_target_takes():
    made = engine("remote-a", "remote-b")
    slow, fast = Latency(4.0, 9.0), Latency(0.5, 1.0)
    assert target_of(made, loads={A: 1, B: 4}, latencies={A: slow, B: fast}) == B


@pytest.mark.parametrize(("draws", "compared"), [((0.0, 0.0), {A, B}), ((0.0, 0.9), {A, C}), ((0.9, 0.9), {C, B})])
def test_of_several_two_are_drawn_and_only_these_are_looked_at(draws, compared):
    made = engine("remote-a", "remote-b", "remote-c")
    found = reads(draws, loads={A: 8, B: 4, C: 2})
    plan = decided(made, found)
    assert {read[2] for read in found.noted if read[0] == "load"} == {each.id for each in compared}
    assert plan.target == min(compared, key={A: 8, B: 4, C: 2}.get)
    assert not found.kept, "a draw is of one call"


def test_what_was_tried_is_ill_or_cannot_be_used_takes_no_call():
    made = engine("remote-a", "remote-b", "remote-c")
    tried = (Attempt(target=A, kind=FailureKind.UNCERTAIN),)
    assert target_of(made, attempts=tried, healths={C: Health.OPEN}) == B
    assert target_of(made, candidates=CANDIDATES[:1], loads={A: 64}) == A
    assert target_of(made, healths=dict.fromkeys((A, B, C), Health.OPEN)) == A, "the host says why it cannot be asked"


def learned(made, calls):
    state = made.initial()
    for at, symbol, target in calls:
        state = made.fold(state, Outcome(symbol=symbol, target=target, success=True, at=at))
    return state


def proposed(made, state, hour=0, recent=(), candidates=CANDIDATES, near=()):
    found = made.propose(state, Context(hour=hour, recent=recent, candidates=candidates, near=near))
    return [(each.target, round(each.worth, 2)) for each in found]


def test_what_follows_a_function_is_proposed_after_it_whatever_was_called_between():
    made, calls = engine(), []
    for number in range(10):
        at = number * 1_000.0
        calls += [(at, "ask", A), (at + 5, "noise", C)] + ([(at + 20, "answer", B)] if number else [])
    state = learned(made, calls)
    assert proposed(made, state, hour=12, recent=("x", "ask")) == [(C, 1.0), (B, 0.9)]
    assert proposed(made, state, hour=12, recent=("ask", "x")) == []
    assert proposed(made, state, hour=12, recent=("ask",), candidates=CANDIDATES[:1]) == []


def test_what_comes_later_than_the_horizon_follows_nothing():
    made = engine(horizon=60.0)
    calls = [each for n in range(10) for each in ((n * 1_000.0, "ask", A), (n * 1_000.0 + 90, "answer", B))]
    assert proposed(made, learned(made, calls), hour=12, recent=("ask",)) == []


def test_nothing_is_said_of_a_function_that_was_seen_twice():
    made = engine()
    calls = [(0.0, "ask", A), (5.0, "answer", B), (1_000.0, "ask", A), (1_005.0, "answer", B)]
    assert proposed(made, learned(made, calls), hour=12, recent=("ask",)) == []


def follows(symbol, target, share):
    return [
        each
        for n in range(10)
        for each in [(n * 1_000.0, symbol, A), *([(n * 1_000.0 + 5, "answer", target)] if n < share * 10 else [])]
    ]


@pytest.mark.parametrize(
    ("near", "expected"),
    [
        ((("like", 0.9),), [(B, 0.8)]),
        ((("like", 0.6), ("other", 0.6)), [(C, 0.5)]),
        ((("like", 0.5),), [(B, 0.57)]),
        ((("like", 0.25), ("unheard", 1.0)), []),
        ((), []),
    ],
)
def test_of_a_new_function_what_follows_those_that_are_near_is_proposed(near, expected):
    made = engine()
    calls = [*follows("like", B, 0.8), *((at + 20_000.0, *rest) for at, *rest in follows("other", C, 1.0))]
    state = learned(made, calls)
    assert proposed(made, state, hour=12, recent=("new",), near=near) == expected
    assert proposed(made, state, hour=12, recent=("other",), near=(("like", 1.0),)) == [(C, 1.0)], "its own counts"


def busy(day, hour, every):
    return [(day * DAY + hour * HOUR + at, "f", A) for at in range(0, 3_600, every)]


def test_a_busy_hour_of_earlier_days_is_proposed_and_one_of_today_is_not_known_yet():
    made = engine()
    calls = [each for day in range(3) for each in busy(day, 9, 200)]
    state = learned(made, [*calls, (3 * DAY, "g", B)])
    assert proposed(made, state, hour=9) == [(A, 1.0)]
    assert proposed(made, state, hour=10) == []
    assert proposed(made, learned(made, busy(0, 9, 200)), hour=9) == []


def test_a_burst_is_one_window_and_not_a_busy_hour():
    made = engine()
    calls = [(day * DAY + 9 * HOUR + second, "f", A) for day in range(3) for second in range(50)]
    assert proposed(made, learned(made, [*calls, (3 * DAY, "g", B)]), hour=9) == []


def test_what_was_busy_long_ago_fades():
    made = engine()
    calls = [each for day in range(3) for each in busy(day, 9, 200)]
    assert proposed(made, learned(made, [*calls, (9 * DAY, "g", B)]), hour=9) == []


def test_repeats_feedback_and_own_bodies_are_no_load():
    made = engine()
    state = made.initial()
    again = Outcome(symbol="f", target=A, success=True, attempt=1, at=5.0)
    rated = Outcome(symbol="f", target=A, success=True, feedback=0.5, at=5.0)
    assert made.fold(made.fold(state, again), rated) == state
