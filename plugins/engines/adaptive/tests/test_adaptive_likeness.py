"""What is alike counts where a function's own outcomes are few: as far as it is near, and never for long."""

from __future__ import annotations

import math

import attrs
import pytest

from rtfs_engine_adaptive.engine import AdaptiveEngine
from rtfs_engine_adaptive.likeness import alike
from rtfs_engine_adaptive.settings import AdaptiveSettings
from rtfs_framework.api import (
    Candidate,
    DelegationPlan,
    EngineSettings,
    Experience,
    Outcome,
    PlanOutcomes,
    PlanSource,
    RemoteModel,
    Situation,
    show_target,
)
from rtfs_framework.orchestrator.learning.shelf import MemoryLearning
from rtfs_framework.testing.fakes import FakeAsker, call_reads, decided

A, B, C = RemoteModel("a"), RemoteModel("b"), RemoteModel("c")
CANDIDATES = (Candidate(A, "a"), Candidate(B, "b"))


def plan(target, **more):
    return PlanOutcomes(**{"target": target, "count": 50.0, "successes": 50.0, "answered": 50.0, **more})


def experience(*plans, symbol="like/f", nearness=0.6):
    return Experience(situation=Situation(symbol=symbol), plans=plans, nearness=nearness)


def of(*found, symbol="f", least=0.2, whole=0.6):
    return alike(found, symbol, least, whole)


def test_what_is_nearer_counts_more():
    near = experience(plan(A, successes=40.0, cost=0.1, seconds=math.e - 1.0, feedback=1.0, rated=10.0))
    far = experience(plan(A, successes=10.0, cost=0.4, seconds=0.0, feedback=0.0, rated=10.0), nearness=0.4)
    found = of(near, far)[show_target(A)]
    assert found.count == pytest.approx(50.0 + 25.0)
    assert found.success == pytest.approx((40.0 + 5.0) / 75.0)
    assert found.cost == pytest.approx((50.0 * 0.1 + 25.0 * 0.4) / 75.0)
    assert found.latency == pytest.approx(50.0 / 75.0)
    assert (found.rated, found.feedback) == (pytest.approx(15.0), pytest.approx(10.0 / 15.0))


def test_what_is_too_far_and_the_function_itself_count_nothing():
    assert of(experience(plan(A), nearness=0.2), experience(plan(A), symbol="f", nearness=1.0)) == {}


def test_one_situation_counts_like_so_many_outcomes_at_most():
    assert of(experience(plan(A, count=9_000.0, successes=9_000.0)))[show_target(A)].count == pytest.approx(100.0)


def test_what_nobody_knows_stays_unknown():
    found = of(experience(plan(A, answered=0.0)))[show_target(A)]
    assert (found.cost, found.feedback, found.rated, found.validity) == (None, None, 0.0, 1.0)


def test_one_bad_rating_condemns_no_target():
    rated = plan(A, feedback=0.0, rated=1.0), plan(B, feedback=0.9, rated=40.0)
    found = of(experience(*rated))
    assert found[show_target(A)].usual == pytest.approx(36.0 / 41.0)
    made = engine(exploration=0.0, learning=0.0, trust=1.0)
    seen = decide(made, Experienced(made, (experience(*rated),)))[0].alternatives
    assert [each.target for each in seen] == [A]
    assert "rated 0.73" in seen[0].why


def test_a_target_of_which_little_was_said_is_still_tried():
    quiet, heard = ((plan(A, **GOOD), plan(B, feedback=0.9, rated=rated)) for rated in (3.0, 50.0))
    shares = []
    for plans in (quiet, heard):
        made = engine(trust=1.0)
        shares.append(decide(made, Experienced(made, (experience(*plans),)))[0].propensity)
    assert shares[0] == pytest.approx(0.5)
    assert shares[1] > 0.95


class Both:
    """Would use both targets."""

    def claims(self):
        return ("f",)

    def decide(self, context):
        left = [each.target for each in context.candidates]
        return DelegationPlan(target=left[0], reasoning="r", source=PlanSource.ENGINE) if left else None


class Experienced(MemoryLearning):
    """Learns, and is asked about what is near."""

    def __init__(self, engine, found):
        super().__init__({"": engine}, every=1, counting=False)
        self.found, self.times = found, 0

    experienced = True

    def experience(self, situation, most, embedder):
        self.times += 1
        return 1, self.found


def engine(**own):
    return AdaptiveEngine(EngineSettings(children={"base": (Both(),)}, own=AdaptiveSettings(**own)))


def decide(made, learning, draw=0.0, candidates=CANDIDATES):
    asker = FakeAsker(draws={"explore": draw})
    reads = call_reads("f", 1, candidates=candidates, learned=learning, asker=asker)
    return decided(made, reads), reads


GOOD, BAD = {"feedback": 0.95, "rated": 50.0}, {"feedback": 0.2, "rated": 50.0}


def test_a_new_function_begins_with_what_is_alike():
    made = engine()
    learning = Experienced(made, (experience(plan(A, **BAD), plan(B, **GOOD)),))
    first, reads = decide(made, learning)
    assert first.target == B
    assert first.alternatives[0].score < 0.9 * 8 / 9  # of A little is expected
    assert ("experience", "16") in reads.noted
    without, _ = decide(made, MemoryLearning({"": made}, counting=False))
    assert without.target == A


def told(learning, target, worth, times):
    for _ in range(times):
        learning.take(Outcome(symbol="f", target=target, success=True, cost=0.0))
        learning.take(Outcome(symbol="f", target=target, success=True, feedback=worth))


def test_what_is_alike_is_checked_first_and_a_few_outcomes_that_agree_are_enough():
    made = engine()
    learning = Experienced(made, (experience(plan(A, **BAD), plan(B, **GOOD)),))
    assert decide(made, learning)[0].propensity == pytest.approx(0.5)
    told(learning, A, 0.0, 4)
    told(learning, B, 1.0, 4)
    agreed = decide(made, learning)[0]
    assert (agreed.target, agreed.propensity) == (B, pytest.approx(1.0 - 0.03, abs=0.02))


@pytest.mark.parametrize(("worth", "sure"), [(0.0, True), (1.0, False)], ids=["as expected", "otherwise"])
def test_one_target_that_does_otherwise_casts_doubt_on_all(worth, sure):
    made = engine()
    learning = Experienced(made, (experience(plan(A, **BAD), plan(B, **GOOD), plan(C, **BAD)),))
    for target, said in ((A, worth), (B, 1.0), (C, 0.0)):
        told(learning, target, said, 5)
    three = (*CANDIDATES, Candidate(C, "c"))
    tried = decide(made, learning, 0.999, three)[0]  # the last of what may be drawn
    assert tried.propensity == pytest.approx(0.015 if sure else 0.25, abs=0.01)


def test_who_never_doubts_checks_nothing():
    made = engine(trust=1.0)
    learning = Experienced(made, (experience(plan(A, **BAD), plan(B, **GOOD)),))
    assert decide(made, learning)[0].propensity == pytest.approx(1.0 - 0.03, abs=0.02)
    told(learning, A, 1.0, 12)
    assert decide(made, learning)[0].target == B


def test_its_own_outcomes_outweigh_what_only_seemed_alike():
    made = engine()
    learning = Experienced(made, (experience(plan(A, **BAD), plan(B, **GOOD)),))
    for number in range(120):
        found, _ = decide(made, learning, draw=(number * 0.618) % 1.0)
        learning.take(Outcome(symbol="f", target=found.target, success=True, cost=0.0, note=found.note))
        worth = 1.0 if found.target == A else 0.1
        learning.take(Outcome(symbol="f", target=found.target, success=True, feedback=worth, note=found.note))
    assert decide(made, learning)[0].target == A


def test_who_knows_enough_of_its_own_asks_no_more():
    made = engine()
    learning = Experienced(made, ())
    for target in (A, B) * 25:
        learning.take(Outcome(symbol="f", target=target, success=True, cost=0.0))
    before = learning.times
    _, reads = decide(made, learning)
    assert learning.times == before
    assert all(read[0] != "experience" for read in reads.noted)


def test_none_is_read_where_it_is_switched_off():
    made = engine(experience=0)
    learning = Experienced(made, (experience(plan(A, **BAD), plan(B, **GOOD)),))
    decide(made, learning)
    assert learning.times == 0


def test_a_target_that_is_alike_and_fails_is_not_trusted():
    made = engine()
    failing = plan(A, successes=5.0)
    learning = Experienced(made, (experience(failing, plan(B)),))
    found, _ = decide(made, learning)
    assert found.target == B
    assert found.confidence == pytest.approx(1.0)


def test_settings_that_contradict_one_another_are_refused():
    with pytest.raises(ValueError, match="'likeness' must be above 'nearness'"):
        attrs.evolve(AdaptiveSettings(), nearness=0.7)
