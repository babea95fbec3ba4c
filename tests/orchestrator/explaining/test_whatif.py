"""What another policy would have had: the journal of real runs, decided again, against what it really has."""

from __future__ import annotations

from contextlib import contextmanager

import pytest

from rtfs_framework.api import (
    DelegationPlan,
    Deny,
    InferenceReply,
    LocalModel,
    LocalPure,
    PlanSource,
    Scored,
    Usage,
)
from rtfs_framework.orchestrator.explaining.replaying.replay import replayer
from rtfs_framework.orchestrator.explaining.whatif.evidence import Evidence, by_replay, by_shadow, calls_of
from rtfs_framework.orchestrator.explaining.whatif.report import report
from rtfs_framework.orchestrator.recording.journal.history import history_of

CHEAP, DEAR = LocalModel("cheap"), LocalModel("dear")
CONFIG = """
[delegation.local_models.cheap]
input_cost = 1000000
output_cost = 0
[delegation.local_models.dear]
input_cost = 5000000
output_cost = 0
"""
PROGRAM = '(defn f [x] : [:enum "fine" "own"] "own")\n(mapv f (range 0 {0}))'
PRICES = {"local-model cheap": (1e6, 0.0), "local-model dear": (5e6, 0.0)}


def plan(target, **more):
    return DelegationPlan(target=target, reasoning="r", source=PlanSource.ENGINE, **more)


def exploring(context):
    """Choose one of both by chance, and say how likely that was."""
    first, second = (CHEAP, DEAR) if context.draw("which") < 0.75 else (DEAR, CHEAP)
    if context.attempts:
        return plan(DEAR)
    return plan(first, propensity=0.75 if first == CHEAP else 0.25, alternatives=(Scored(second, 0.5),))


class Engine:
    def __init__(self, decide):
        self._decide = decide

    def claims(self):
        return ("f",)

    def decide(self, context):
        return self._decide(context)


@pytest.fixture
def desk(kit, source):
    """Return what runs a program under one policy, and asks what another would have had."""

    @contextmanager
    def opened(decide, *, failing=lambda _: False, **options):
        def answer(request):
            text = "wrong" if failing(request) else "fine"
            return InferenceReply(text=text, model="m", usage=Usage(input_tokens=1, output_tokens=0))

        models = [kit.provider("cheap", answer), kit.provider("dear", lambda r: InferenceReply(
            text="fine", model="m", usage=Usage(input_tokens=1, output_tokens=0)))]  # fmt: skip
        with kit.open(kit.catalog(*models, engine=Engine(decide)), CONFIG, **options) as session:
            yield session

    class Desk:
        def run(self, decide, count=40, rate=None, **options):
            with opened(decide, **options) as session:
                ran = session.run(source(PROGRAM.format(count)))
                for call in ran.calls if rate is not None else ():
                    session.rate(ran.run_id, f"0:{call.path}", rate(call))
                return ran

        def what_if(self, decide, run, shadow=None):
            evidence = Evidence()
            with (
                opened(decide) as session,
                history_of(kit.journal, kit.home) as history,
                replayer(session.host, history) as again,
            ):
                for call in calls_of(history, run, by_replay(again) if shadow is None else by_shadow(shadow)):
                    evidence.add(call)
            return report(evidence, lambda target: PRICES.get(target, (None, None)))

    return Desk()


def test_the_policy_itself(desk) -> None:
    ran = desk.run(lambda _: plan(CHEAP))
    found = desk.what_if(lambda _: plan(CHEAP), ran.run_id)
    cost = found.quantities["cost"]
    assert (found.calls, cost.covered, dict(found.changes), dict(found.unknown)) == (40, 40, {}, {})
    assert cost.robust is not None
    assert cost.robust.mean * 40 == pytest.approx(ran.summary.cost) == pytest.approx(40.0)
    assert found.quantities["quality"].trials == 0


def test_a_log_that_explored_tells_what_another_policy_costs(desk) -> None:
    ran = desk.run(exploring, 400)
    found = desk.what_if(lambda _: plan(DEAR), ran.run_id)
    cost = found.quantities["cost"]
    assert (cost.covered, found.assumed.calls) == (400, 0)
    assert cost.robust is not None
    assert cost.robust.mean == pytest.approx(5.0)
    assert cost.inverse is not None
    assert 2.5 < cost.inverse.mean < 7.5
    assert 1.5 < cost.then < 2.5


def test_its_chance_is_not_that_of_the_run(desk) -> None:
    """The same exploring policy costs what it did: 2 dollars. With the run's own draws that would come out as 6."""
    ran = desk.run(exploring, 400)
    found = desk.what_if(exploring, ran.run_id).quantities["cost"]
    assert found.inverse is not None
    assert 1.3 < found.inverse.mean < 2.7
    assert found.then == pytest.approx(ran.summary.cost / 400)


def test_where_nobody_could_have_gone_only_prices_are_known(desk) -> None:
    ran = desk.run(lambda _: plan(CHEAP), 10)
    found = desk.what_if(lambda _: plan(DEAR), ran.run_id)
    assert found.quantities["cost"].robust is None
    assert (found.assumed.calls, found.assumed.then, found.assumed.now, found.assumed.unpriced) == (
        10, pytest.approx(10.0), pytest.approx(50.0), 0,
    )  # fmt: skip
    assert found.changes == {("f", "local-model cheap", "local-model dear"): 10}


def test_refusals_and_the_own_body_are_known_without_trial(desk) -> None:
    ran = desk.run(lambda _: plan(CHEAP), 10)
    denied = desk.what_if(lambda _: plan(Deny("no")), ran.run_id).quantities
    assert denied["refused"].robust is not None
    assert denied["refused"].robust.mean == 1.0
    assert denied["cost"].robust is not None
    assert denied["cost"].robust.mean == 0.0
    own = desk.what_if(lambda _: plan(LocalPure()), ran.run_id).quantities
    assert own["cost"].robust is not None
    assert own["cost"].robust.mean == 0.0
    assert own["failed"].robust is None, "nobody knows whether the own body fails"


def test_failed_attempts_cost_what_they_cost(desk) -> None:
    """A third of the calls get no usable answer of the cheap model, and are paid more than once."""

    def decide(context):
        return plan(DEAR if context.attempts else CHEAP)

    ran = desk.run(decide, 30, failing=lambda request: int(request.args[0]) % 3 == 0)
    found = desk.what_if(decide, ran.run_id).quantities["cost"]
    assert found.robust is not None
    assert found.covered == 30
    assert found.robust.mean * 30 == pytest.approx(ran.summary.cost)


def test_chance_that_nobody_told_of_is_not_guessed(desk) -> None:
    def secret(context):
        return plan(CHEAP if context.draw("x") < 0.5 else DEAR)

    ran = desk.run(secret, 10)
    found = desk.what_if(lambda _: plan(CHEAP), ran.run_id)
    (why,) = found.unknown
    assert "did not say how likely" in why
    assert found.unknown[why] == 10
    assert found.quantities["cost"].trials == 0


def test_what_cannot_be_decided_again_is_counted(desk) -> None:
    ran = desk.run(lambda _: plan(CHEAP), 3)
    found = desk.what_if(lambda context: plan(CHEAP if context.args[0] else DEAR), ran.run_id)
    assert sum(found.unknown.values()) == 3
    assert any("not kept" in why for why in found.unknown)


def test_ratings_are_the_quality(desk) -> None:
    """The dear model is rated 0.9, the cheap one 0.3: another policy has what the choices that it shares were worth."""
    ran = desk.run(exploring, 100, rate=lambda call: 0.9 if "dear" in call.target else 0.3)
    found = desk.what_if(lambda _: plan(DEAR), ran.run_id).quantities["quality"]
    assert found.trials == 100
    assert found.robust is not None
    assert found.robust.mean == pytest.approx(0.9)
    assert found.then < 0.65
