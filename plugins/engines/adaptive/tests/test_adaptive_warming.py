"""What experience is worth for a new function: much where it is right, and little is lost where it misleads."""

from __future__ import annotations

import random

import pytest

from rtfs_engine_adaptive.engine import AdaptiveEngine
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
)
from rtfs_framework.orchestrator.learning.shelf import MemoryLearning
from rtfs_framework.testing.fakes import FakeAsker, call_reads, decided

TARGETS = tuple(map(RemoteModel, "abcd"))
CANDIDATES = tuple(Candidate(target, target.id) for target in TARGETS)
CALLS, WINDOW, SEEDS = 160, 25, 3
TRUTH = {"a": 0.3, "b": 0.5, "c": 0.95, "d": 0.4}
ALIKE = {"a": 0.35, "b": 0.45, "c": 0.9, "d": 0.45}
BEST_SEEMS_BAD = {"a": 0.5, "b": 0.9, "c": 0.3, "d": 0.5}
"""What it promises most of is not quite so good, and what is best seems worst."""
BEST_SEEMS_SECOND = {"a": 0.95, "b": 0.5, "c": 0.6, "d": 0.5}


class All:
    """Would use any of the targets."""

    def claims(self):
        return ("f",)

    def decide(self, context):
        left = [each.target for each in context.candidates]
        return DelegationPlan(target=left[0], reasoning="r", source=PlanSource.ENGINE) if left else None


class Experienced(MemoryLearning):
    """Learns, and hands out what functions like it have seen."""

    experienced = True
    found: tuple[Experience, ...] = ()

    def experience(self, situation, most, embedder):
        return 1, self.found


def warm(expected, seed):
    """Return the calls before the best target gets nearly all of so many in a row."""
    made = AdaptiveEngine(EngineSettings(children={"base": (All(),)}, own=AdaptiveSettings()))
    learning, dice = Experienced({"": made}, every=1, counting=False), random.Random(seed)
    if expected:
        plans = (
            PlanOutcomes(target=each, count=80.0, successes=80.0, answered=80.0, feedback=expected[each.id], rated=40.0)
            for each in TARGETS
        )
        learning.found = (Experience(situation=Situation(symbol="like/f"), plans=tuple(plans), nearness=0.6),)
    chosen = []
    for _ in range(CALLS):
        asker = FakeAsker(draws={"explore": dice.random()})
        found = decided(made, call_reads("f", 1, candidates=CANDIDATES, learned=learning, asker=asker))
        learning.take(Outcome(symbol="f", target=found.target, success=True, cost=0.0, note=found.note))
        if dice.random() < 0.5:
            good = float(dice.random() < TRUTH[found.target.id])
            learning.take(Outcome(symbol="f", target=found.target, success=True, feedback=good, note=found.note))
        chosen.append(found.target.id == "c")
        if sum(chosen[-WINDOW:]) >= 0.92 * WINDOW:
            return len(chosen) - WINDOW
    return CALLS


@pytest.fixture(scope="module")
def without():
    return sum(warm({}, seed) for seed in range(SEEDS))


def test_what_is_alike_makes_the_warm_up_at_most_half_as_long(without):
    assert sum(warm(ALIKE, seed) for seed in range(SEEDS)) <= 0.5 * without


@pytest.mark.parametrize("misled", [BEST_SEEMS_BAD, BEST_SEEMS_SECOND], ids=["best-seems-bad", "best-seems-second"])
def test_what_misleads_is_soon_outweighed(misled, without):
    assert sum(warm(misled, seed) for seed in range(SEEDS)) <= 1.1 * without
