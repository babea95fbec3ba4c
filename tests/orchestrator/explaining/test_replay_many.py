"""Thousands of decisions are made again without a difference; under a changed policy exactly those differ that do."""

from __future__ import annotations

import pytest

from rtfs_framework.api import DelegationPlan, Health, LocalModel, LocalPure, PlanSource
from rtfs_framework.orchestrator.explaining.replaying.replay import Repeated, replay
from rtfs_framework.orchestrator.recording.journal.history import history_of
from rtfs_framework.orchestrator.recording.journal.verify import verify

SIZES = [500, pytest.param(10_000, marks=pytest.mark.slow)]
PROGRAM = "(defn f [x] :own)\n(defn all [n] (count (mapv (fn [i] (f (if (= 0 (mod i 7)) (str i) i))) (range n))))"
M, OTHER = LocalModel("m"), LocalModel("other")


class Engine:
    """Goes by arguments, types, health and draws: by memory and without."""

    def __init__(self, texts=OTHER):
        self.texts = texts

    def claims(self):
        return ("f",)

    def decide(self, context):
        if context.types == (":string",):
            return self._plan(self.texts if context.health(M) is Health.CLOSED else LocalPure())
        (number,) = context.args
        if number % 10 == 3:
            return self._plan(M if context.draw("which") < 0.5 else LocalPure())
        return self._plan(M if number % 3 else LocalPure())

    @staticmethod
    def _plan(target):
        return DelegationPlan(target=target, reasoning="r", source=PlanSource.ENGINE)


@pytest.fixture
def opened(kit):
    def open_(engine):
        models = [kit.provider(name, lambda _: "1", immediate=True, deterministic=True) for name in ("m", "other")]
        return kit.open(kit.catalog(*models, engine=engine, l1=True), '[journal]\nkeep = "replies"')

    return open_


@pytest.fixture(params=SIZES)
def many(request):
    """Return how many decisions there are."""
    return request.param


@pytest.fixture
def run(opened, source, many):
    """A run of many decisions, in the middle of which a breaker opens."""
    with opened(Engine()) as session:
        program = session.load(source(PROGRAM))
        program.call("all", (many // 2,))
        session.host.journal.signal("health", "local-model m", Health.OPEN)
        program.call("all", (many // 2,))
        return program.run_id


def test_all_decisions_are_repeated(opened, run, kit, many):
    with opened(Engine()) as session, history_of(kit.journal, kit.home) as history:
        results = [each.result for each in replay(session.host, history, run)]
    assert (len(results), set(results)) == (many, {Repeated.SAME})
    assert verify(kit.journal, run, kit.home).ok


def test_with_a_changed_policy_exactly_the_differing_ones_are_listed(opened, run, kit, many):
    with opened(Engine(texts=M)) as session, history_of(kit.journal, kit.home) as history:
        differing = [each for each in replay(session.host, history, run) if each.result is Repeated.DIFFERS]
    texts = len(range(0, many // 2, 7))
    assert len(differing) == 2 * texts, "each text, in both halves"
    assert {(each.then, each.now) for each in differing} == {("local-model other", "local-model m")}
