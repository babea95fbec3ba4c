"""The suite of engines that learn finds what it is there to find."""

from __future__ import annotations

import random

import pytest

from rtfs_framework.api import DelegationPlan, EngineSettings, PlanSource
from rtfs_framework.testing.conformance import LearningConformance


class Sound:
    """Learns how often each target succeeded, and draws between the first two."""

    share = 0.25

    def claims(self):
        return ("*",)

    def decide(self, context):
        targets = [each.target for each in context.candidates]
        if len(targets) < 2:
            return DelegationPlan(target=targets[0], reasoning="only", source=PlanSource.ENGINE)
        assert context.state("all") is None or context.state("all") >= 0
        other = context.draw("explore") < 0.25
        share = self.share if other else 1.0 - self.share
        target = targets[1 if other else 0]
        return DelegationPlan(target=target, reasoning="r", source=PlanSource.ENGINE, propensity=share)

    def initial(self):
        return {}

    def fold(self, state, outcome):
        return {**state, "all": state.get("all", 0) + 1}


class Mutates(Sound):
    def fold(self, state, outcome):
        cell = state.get("list", [])
        cell.append(1)
        return {**state, "list": cell}


class Tuples(Sound):
    def fold(self, state, outcome):
        return {"pair": (1, 2)}


class Chance(Sound):
    def fold(self, state, outcome):
        return {**state, "all": random.random()}


class Endless(Sound):
    def fold(self, state, outcome):
        return {**state, outcome.symbol: 1}


class Lies(Sound):
    share = 0.4


class Chooses(Sound):
    def decide(self, context):
        known = context.state("all") or 0
        return DelegationPlan(target=context.candidates[0].target, reasoning=f"after {known}", source=PlanSource.ENGINE)


def suite_of(engine):
    class Suite(LearningConformance):
        def make(self, settings):
            return engine()

        def settings(self):
            return (EngineSettings(),)

    return Suite()


def passes(engine, test):
    """Tell whether an engine passes a test of the suite."""
    try:
        getattr(suite_of(engine), test)()
    except (Exception, pytest.fail.Exception):  # noqa: BLE001 - a failure of any kind
        return False
    return True


def test_a_sound_engine_passes():
    tests = [each for each in dir(LearningConformance) if each.startswith("test_")]
    assert all(passes(Sound, each) for each in tests)


@pytest.mark.parametrize(
    ("engine", "test"),
    [
        (Mutates, "test_fold_leaves_states_as_they_are"),
        (Tuples, "test_states_are_plain_data"),
        (Chance, "test_equal_outcomes_make_equal_states"),
        (Endless, "test_states_are_bounded"),
        (Lies, "test_propensities_are_those_of_the_draw"),
        (Chooses, "test_one_target_needs_no_learning"),
    ],
)
def test_an_engine_that_breaks_the_contract_is_found(engine, test):
    assert not passes(engine, test)
