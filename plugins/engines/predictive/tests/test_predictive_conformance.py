"""The engine keeps the contract of engines, and its fold and proposals that of engines that learn."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from rtfs_engine_predictive.engine import PredictiveEngine
from rtfs_engine_predictive.memory import MOST_FOLLOWERS, MOST_FUNCTIONS, MOST_RECENT, MOST_TARGETS
from rtfs_engine_predictive.settings import PredictiveSettings
from rtfs_framework.api import (
    DelegationPlan,
    EngineSettings,
    FailureKind,
    LocalModel,
    LocalPure,
    PlanSource,
    RemoteModel,
    TargetText,
    compile_patterns,
)
from rtfs_framework.api.learning import Outcome
from rtfs_framework.testing.conformance.engine import ROUTES, EngineConformance

TARGETS = {"local-small": LocalModel("small"), "remote-cloud": RemoteModel("cloud"), "remote-far": RemoteModel("far")}
EQUAL = (tuple(map(TargetText, TARGETS)),)


class Routed:
    """Sends what the suite's routes name to their first target."""

    def __init__(self):
        self.patterns = tuple(ROUTES)
        self.first = compile_patterns(self.patterns)

    def claims(self):
        return self.patterns

    def decide(self, context):
        place = self.first(context.symbol)
        if place is None:
            return None
        target = ROUTES[self.patterns[place]][0]
        return DelegationPlan(target=target, reasoning="routed", source=PlanSource.STATIC_ROUTE, engine="routed")


class Claiming(PredictiveEngine):
    """The engine with the claims of its base, which the host adds."""

    __slots__ = ()

    def claims(self):
        return () if self._base is None else self._base.claims()


class TestPredictiveEngine(EngineConformance):
    def make(self, settings):
        return Claiming(settings)

    def settings(self):
        own = PredictiveSettings(equal=EQUAL)
        two = PredictiveSettings(equal=(EQUAL[0][:2],))
        return (
            EngineSettings(),
            EngineSettings(children={"base": (Routed(),)}),
            EngineSettings(children={"base": (Routed(),)}, own=own, targets=TARGETS),
            EngineSettings(children={"base": (Routed(),)}, own=two, targets=TARGETS),
        )


outcomes = st.lists(
    st.builds(
        Outcome,
        symbol=st.sampled_from("abc") | st.text(max_size=3),
        target=st.sampled_from((*TARGETS.values(), LocalPure())) | st.builds(RemoteModel, st.text(max_size=2)),
        success=st.booleans(),
        kind=st.none() | st.sampled_from(FailureKind),
        attempt=st.integers(0, 1),
        feedback=st.none() | st.floats(0, 1),
        at=st.floats(0, 10**6),
    ),
    max_size=60,
)


@given(outcomes)
def test_law_the_fold_is_pure_its_state_plain_data_and_bounded(given_):
    engine = PredictiveEngine(EngineSettings())
    state = engine.initial()
    for each in given_:
        before = json.dumps(state, sort_keys=True)
        after = engine.fold(state, each)
        assert json.dumps(state, sort_keys=True) == before, "the state before is left as it is"
        assert json.dumps(engine.fold(state, each), sort_keys=True) == json.dumps(after, sort_keys=True)
        state = json.loads(json.dumps(after))
    assert len(state["follows"]) <= MOST_FUNCTIONS
    assert all(len(counts) <= MOST_FOLLOWERS + 1 for counts in state["follows"].values())
    assert len(state["hours"]) <= MOST_TARGETS
    assert len(state["recent"]) <= MOST_RECENT
    assert all(0 <= count <= counts[""] for counts in state["follows"].values() for count in counts.values())


def test_very_many_functions_and_targets_are_bounded_and_the_frequent_stay():
    engine, at = PredictiveEngine(EngineSettings()), 0.0
    state = engine.initial()
    for number in range(400):
        for symbol, target in (("often", RemoteModel("often")), (f"f{number}", RemoteModel(f"t{number}"))):
            at += 30.0
            state = engine.fold(state, Outcome(symbol=symbol, target=target, success=True, at=at))
    assert len(state["follows"]) <= MOST_FUNCTIONS
    assert len(state["hours"]) <= MOST_TARGETS
    assert "often" in state["follows"]
    assert "remote often" in state["hours"]
