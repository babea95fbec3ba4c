"""Pinned plans in a session: what goes before them, which calls they speak of, and that they are reviewed like any."""

from __future__ import annotations

import pytest

from rtfs_framework.api import ConfigError, DelegationPlan, LocalModel, LocalPure, PlanSource
from rtfs_framework.lang.signature import FunctionSignature
from rtfs_framework.lang.source import Place
from rtfs_framework.orchestrator.deciding.pinned import Pin, Pinned

PROGRAM = '(defn f [x] :own)\n(defn k ^:delegation :local-model "other" [x] :own)\n[(f 1) (f 2) (map f [3]) (k 4)]'
M, OTHER, PURE = LocalModel("m"), LocalModel("other"), LocalPure()


class Engine:
    """Sends `f` to `other`, and counts how often it is asked."""

    def __init__(self, claimed=("f",)):
        self.asked, self.claimed = 0, claimed

    def claims(self):
        return self.claimed

    def decide(self, context):
        self.asked += 1
        tried = {each.target for each in context.attempts}
        target = next(each for each in (OTHER, PURE) if each not in tried)
        return DelegationPlan(target=target, reasoning="r", source=PlanSource.ENGINE)


@pytest.fixture
def opened(kit, source):
    """Return a function that opens a session in which pins of `f` are in force, by place; with its engine."""

    def open_(pins, claimed=("f",), config=None, fails=False):
        engine = Engine(claimed)

        def answer(request):
            if fails:
                raise OSError("no")
            return "m"

        models = [kit.provider("m", answer), kit.provider("other", lambda _: "other")]
        session = kit.open(kit.catalog(*models, engine=engine, l1=True), None if config is None else kit.config(config))
        delegator = session.host.dispatcher.delegator
        first = tuple(Pin(symbol, target, "") for (symbol, _), target in pins.items())
        delegator.pinned = Pinned(
            name="", program="another", pins=first, asked_for=False
        )  # whose functions are claimed
        digests = {each.name: each.body_digest for each in session.link(source(PROGRAM)).artifact.signatures}
        made = tuple(Pin(symbol, target, digests[symbol], place) for (symbol, place), target in pins.items())
        plan = session.plan(source(PROGRAM))
        pinned = Pinned(name="p.toml", program=plan.program, pins=made, policy=plan.policy, candidates=plan.candidates)
        delegator.pinned = pinned
        engine.asked = 0
        return engine, session

    return open_


def went(session, source):
    result = session.run(source(PROGRAM))
    return [(call.target, call.decision.plan.source) for call in result.calls]


def test_a_function_of_one_target_is_pinned_wherever_it_is_called(opened, source):
    engine, session = opened({("f", ""): M})
    with session:
        *of_f, of_k = went(session, source)
    assert of_f == [("local-model m", PlanSource.PINNED)] * 3
    assert of_k == ("local-model other", PlanSource.HINT), "the author's hint goes before"
    assert engine.asked == 0


def test_places_may_differ_and_a_call_at_no_place_of_the_plan_is_decided_as_without(opened, source):
    name = source(PROGRAM).name
    engine, session = opened({("f", f"{name}:3:2"): M, ("f", f"{name}:3:8"): PURE})
    with session:
        first, second, mapped, _ = went(session, source)
    assert first == ("local-model m", PlanSource.PINNED)
    assert second == ("local-pure", PlanSource.PINNED)
    assert mapped[0] == "local-model other"
    assert engine.asked == 1


def test_a_plan_speaks_of_functions_that_no_engine_claims(opened, source):
    _, session = opened({("f", ""): M}, claimed=())
    with session:
        assert went(session, source)[0] == ("local-model m", PlanSource.PINNED)


def test_a_deny_rule_goes_before(opened, source):
    _, session = opened({("f", ""): M}, config='[security]\ndeny = ["f"]\n')
    with session, pytest.raises(Exception, match="deny"):
        session.run(source(PROGRAM))


def test_when_a_pinned_target_fails_the_engine_decides_what_follows(opened, source):
    engine, session = opened({("f", ""): M}, fails=True)
    with session:
        result = session.run(source(PROGRAM))
    first = result.calls[0]
    assert (first.target, len(first.attempts)) == ("local-model other", 1)
    assert first.attempts[0].decision.plan.source is PlanSource.PINNED
    assert engine.asked > 0


def test_a_program_of_another_text_is_refused(opened, source):
    _, session = opened({("f", ""): M})
    with session, pytest.raises(ConfigError) as raised:
        session.run(source(PROGRAM.replace(":own", ":other", 1)))
    assert raised.value.diagnostics[0].code == "E0730"


def test_an_entry_of_another_version_of_the_function_says_nothing():
    pinned = Pinned(name="p", program="p", pins=(Pin("f", M, "one"),))
    assert pinned.of("f", "one", None) is not None
    assert pinned.of("f", "two", None) is None
    assert pinned.of("g", "one", Place("p", 1, 1)) is None
    assert FunctionSignature("f").body_digest == ""
