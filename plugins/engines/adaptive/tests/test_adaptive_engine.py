"""The engine chooses what is worth most, tries others as often as it says, and notices change."""

from __future__ import annotations

from collections import Counter
from random import Random

import attrs
import pytest

from rtfs_engine_adaptive.cells import threshold_of
from rtfs_engine_adaptive.engine import AdaptiveEngine
from rtfs_engine_adaptive.lines import expected, learned, new_line
from rtfs_engine_adaptive.settings import AdaptiveSettings, Threshold, Weights
from rtfs_engine_adaptive.worth import Expected, worths
from rtfs_framework.api import (
    Attempt,
    Candidate,
    DelegationPlan,
    Deny,
    EngineSettings,
    FailureKind,
    LocalPure,
    Outcome,
    PlanSource,
    RemoteModel,
)
from rtfs_framework.orchestrator.learning.shelf import MemoryLearning
from rtfs_framework.testing.fakes import FakeAsker, call_reads, decided

A, B, C = (RemoteModel(name) for name in "abc")
CANDIDATES = tuple(Candidate(target, target.id) for target in (A, B, C))


class First:
    """Sends calls to the first target that can be used, and counts how often it is asked."""

    def __init__(self, answer=None, *, looks=False):
        self.answer, self.asked, self.looks = answer, 0, looks

    def claims(self):
        return ("f",)

    def decide(self, context):
        self.asked += 1
        if self.answer is not None:
            return self.answer
        if self.looks:
            assert context.args is not None
        tried = {each.target for each in context.attempts}
        left = [each.target for each in context.candidates if each.target not in tried]
        if not left:
            return None
        return DelegationPlan(target=left[0], reasoning="first", source=PlanSource.STATIC_ROUTE, engine="first")


class Bench:
    """An engine, what it has learned, and a world of which it sees the outcomes alone."""

    def __init__(self, base=None, candidates=CANDIDATES, **own):
        self.base = base or First()
        self.engine = AdaptiveEngine(EngineSettings(children={"base": (self.base,)}, own=AdaptiveSettings(**own)))
        self.learning = MemoryLearning({"": self.engine}, every=1, counting=False)
        self.candidates, self.chance = candidates, Random(3)
        self.reads = None

    def decide(self, draw=0.0, symbol="f", attempts=(), candidates=None):
        asker = FakeAsker(draws={"explore": draw}, attempts=attempts)
        chosen = self.candidates if candidates is None else candidates
        self.reads = call_reads(symbol, 1, candidates=chosen, learned=self.learning, asker=asker)
        return decided(self.engine, self.reads)

    def tell(self, target, *, success=True, symbol="f", **more):
        kind = None if success else FailureKind.UNCERTAIN
        self.learning.take(Outcome(symbol=symbol, target=target, success=success, kind=kind, **more))

    def live(self, count, world):
        """Decide so often; `world` says of a target how sure it succeeds, what it costs and is rated."""
        chosen = Counter()
        for _ in range(count):
            plan = self.decide(self.chance.random())
            sure, cost, rating = world[plan.target]
            chosen[plan.target] += 1
            self.tell(plan.target, success=self.chance.random() < sure, cost=cost, seconds=0.5, note=plan.note)
            if self.chance.random() < 0.2:
                self.tell(plan.target, feedback=rating)
        return chosen


def test_one_target_is_handed_on_as_the_base_chose_it():
    bench = Bench()
    only = bench.decide(candidates=CANDIDATES[:1])
    assert only == DelegationPlan(target=A, reasoning="first", source=PlanSource.STATIC_ROUTE, engine="first")
    assert not bench.reads.noted


@pytest.mark.parametrize("target", [LocalPure(), Deny("no")])
def test_what_is_no_model_is_handed_on(target):
    answer = DelegationPlan(target=target, reasoning="so", source=PlanSource.ENGINE)
    assert Bench(First(answer)).decide() is answer


def test_no_opinion_stays_none():
    assert Bench(candidates=()).decide() is None


def test_the_cheapest_of_equals_wins_and_others_are_tried_as_often_as_is_said():
    bench = Bench(exploration=0.04)
    world = {A: (0.99, 0.01, 0.9), B: (0.99, 0.002, 0.9), C: (0.5, 0.001, 0.9)}
    bench.live(400, world)
    chosen = bench.live(2000, world)
    assert chosen[B] > 1880
    assert bench.decide().target == B
    assert bench.decide().propensity >= 0.96


def test_feedback_outweighs_the_price():
    bench = Bench(weights=Weights(feedback=3.0))
    world = {A: (1.0, 0.01, 0.9), B: (1.0, 0.001, 0.2), C: (1.0, 0.001, 0.1)}
    bench.live(600, world)
    assert bench.decide().target == A


def test_a_target_that_begins_to_fail_is_left_within_100_calls():
    bench = Bench()
    world = {A: (0.99, 0.001, 0.9), B: (0.99, 0.002, 0.9), C: (0.99, 0.009, 0.9)}
    bench.live(1500, world)
    assert bench.decide().target == A
    chosen = bench.live(100, {**world, A: (0.2, 0.001, 0.9)})
    assert bench.decide().target == B
    assert chosen[A] < 80


def test_a_change_is_noticed_and_old_knowledge_then_counts_little():
    line = new_line(1, 0.5)
    for number in range(300):
        line, tells = learned(line, (1.0,), 0.9 + 0.1 * (number % 2), 0.999, 16.0, share=True)
        assert not tells
    told = 0
    for _ in range(60):
        line, tells = learned(line, (1.0,), 0.3, 0.999, 16.0, share=True)
        told += tells
    assert told == 1
    assert abs(expected(line, (1.0,)) - 0.3) < 0.15


def test_rare_failures_are_no_change():
    chance, told, line = Random(5), 0, new_line(1, 0.9)
    for _ in range(20_000):
        line, tells = learned(line, (1.0,), float(chance.random() < 0.98), 0.998, 16.0, share=True)
        told += tells
    assert told <= 1


def test_lines_learn_what_depends_on_a_feature():
    chance, line = Random(6), new_line(2, 0.5)
    for _ in range(500):
        x = chance.uniform(-1, 1)
        line, _ = learned(line, (1.0, x), 0.5 + 0.3 * x + chance.gauss(0, 0.05), 1.0, None, share=False)
    assert [round(each, 1) for each in line["t"]] == [0.5, 0.3]


def test_without_exploration_nothing_is_drawn():
    bench = Bench(exploration=0.0, learning=0.0)
    bench.live(50, dict.fromkeys((A, B, C), (1.0, 0.01, 0.9)))
    plan = bench.decide(0.999)
    assert (plan.propensity, [read[0] for read in bench.reads.noted]) == (1.0, ["state"])
    assert bench.reads.kept


def test_after_an_attempt_the_best_of_the_rest_is_taken_without_a_draw():
    bench = Bench()
    bench.live(300, {A: (1.0, 0.001, 0.9), B: (0.9, 0.02, 0.9), C: (1.0, 0.01, 0.9)})
    tried = (Attempt(target=A, kind=FailureKind.SAFE),)
    plan = bench.decide(0.999, attempts=tried)
    assert (plan.target, plan.propensity) == (C, 1.0)
    assert "draw" not in {read[0] for read in bench.reads.noted}


def test_a_new_function_begins_with_what_others_have_seen():
    bench = Bench(exploration=0.0, learning=0.0)
    for _ in range(100):
        for target, cost in ((A, 0.05), (B, 0.001), (C, 0.03)):
            bench.tell(target, symbol="g", cost=cost)
    assert bench.decide(symbol="f").target == B


def test_stated_quality_is_believed_until_somebody_says_more():
    good = tuple(attrs.evolve(each, quality=0.9 if each.target == C else 0.3) for each in CANDIDATES)
    bench = Bench(candidates=good, exploration=0.0, learning=0.0, stated=20)
    assert bench.decide().target == C
    for _ in range(40):
        for target in (A, B, C):
            bench.tell(target, cost=0.01)
            bench.tell(target, feedback=1.0 if target == B else 0.0)
    assert bench.decide().target == B


def test_a_few_bad_ratings_weigh_little_against_what_is_stated_and_many_do():
    good = tuple(attrs.evolve(each, quality=0.9 if each.target == C else 0.6) for each in CANDIDATES)
    bench = Bench(candidates=good, exploration=0.0, learning=0.0)
    for target in (A, B, C):
        bench.tell(target, cost=0.01)
    for _ in range(4):
        bench.tell(C, feedback=0.0)
    assert bench.decide().target == C
    for _ in range(100):
        bench.tell(C, feedback=0.0)
    assert bench.decide().target == A


def test_an_outage_is_one_event_and_a_target_that_comes_back_is_used_at_once():
    bench = Bench(exploration=0.0, learning=0.0)
    for _ in range(100):
        for target, cost in ((A, 0.001), (B, 0.002), (C, 0.003)):
            bench.tell(target, cost=cost, feedback=None)
    for _ in range(20):  # until its breaker opens, and its probes
        bench.tell(A, success=False)
    assert bench.decide().target == A
    for _ in range(2_000):  # nobody leaves it alone: it is left here
        bench.tell(A, success=False)
    assert bench.decide().target == B


def test_a_base_that_looks_at_nothing_is_asked_for_its_targets_once():
    bench = Bench()
    for _ in range(10):
        bench.decide()
    assert bench.base.asked == 3 - 1 + 10
    looking = Bench(First(looks=True))
    for _ in range(10):
        looking.decide()
    assert looking.base.asked == 30


def test_the_threshold_moves_within_its_bounds():
    rule = Threshold()
    assert threshold_of({}, rule) == 0.65
    assert threshold_of({"all": 9, "good": 0, "recent": 0.0}, rule) == 0.65
    assert threshold_of({"all": 10, "good": 10, "recent": 1.0}, rule) == pytest.approx(0.9)
    assert threshold_of({"all": 10, "good": 0, "recent": 0.0}, rule) == pytest.approx(0.4)
    assert threshold_of({"all": 10, "good": 0, "recent": 0.0}, attrs.evolve(rule, success=0.9)) == 0.3


def test_a_target_that_fails_too_often_is_not_trusted_however_cheap_it_is():
    weights = Weights(success=0.01, validity=0.01, feedback=0.01, cost=10.0)
    bench = Bench(weights=weights, exploration=0.0, learning=0.0)
    for _ in range(50):
        bench.tell(A, success=False, cost=0.0001)
        bench.tell(B, cost=0.1)
        bench.tell(C, cost=0.2)
    assert bench.decide().target == B


def test_worths_are_shares():
    found = worths(
        [
            Expected(success=1.0, validity=1.0, feedback=1.0, cost=0.02, latency=2.0),
            Expected(success=1.0, validity=1.0, feedback=1.0, cost=0.01, latency=1.0),
            Expected(success=0.5, validity=1.0, feedback=0.5, cost=None, latency=0.0),
        ],
        Weights(),
    )
    assert found == pytest.approx([(3 - 0.6) / 3, (3 - 0.3) / 3, (2 - 0.375) / 3])


def test_what_is_learned_of_a_plan_can_be_read_in_it():
    bench = Bench()
    bench.live(300, dict.fromkeys((A, B, C), (1.0, 0.01, 0.9)))
    plan = bench.decide()
    assert plan.reasoning.startswith("best of 3 targets, expected worth")
    assert {each.target for each in plan.alternatives} == {A, B, C} - {plan.target}
    assert plan.note == "a1 - -"
