"""Traced decisions in a session: what is served from memory, what is not, and what broken engines get."""

from __future__ import annotations

import pickle

import pytest

from rtfs_framework.api import (
    Capability,
    DelegationPlan,
    LocalModel,
    LocalPure,
    PlanSource,
    show_target,
)
from rtfs_framework.orchestrator.deciding.delegate import Delegator

ONE = "(defn f [x] :own)\n(f {0})"


def plan(target=LocalPure(), **more):  # noqa: B008 - a frozen record
    return DelegationPlan(target=target, reasoning="r", source=PlanSource.ENGINE, **more)


class Engine:
    """Claims `f` and decides by a function."""

    def __init__(self, decide):
        self.decided = 0
        self._decide = decide

    def claims(self):
        return ("f",)

    def decide(self, context):
        self.decided += 1
        return self._decide(context)


@pytest.fixture
def opened(kit):
    """Return a function that opens a session with an engine, models `m` and `other`, and a judge."""

    def open_(decide, judge=lambda _: "yes"):
        engine = Engine(decide)
        models = [kit.provider(name, lambda _, name=name: name) for name in ("m", "other")]
        catalog = kit.catalog(*models, kit.provider("judge", judge), engine=engine, l1=True)
        return engine, kit.open(catalog)

    return open_


def targets(result):
    return [call.target for call in result.calls if call.kind == "delegated"]


def test_arities_have_plans_of_their_own(opened, source):
    by_arity = {1: LocalModel("m"), 2: LocalModel("other")}
    _, session = opened(lambda c: plan(by_arity[len(c.function.parameters)]))
    with session:
        result = session.run(source('(defn f ([a] 1) ([a b] 2))\n[(f "x") (f "x" "y") (f "z")]'))
    assert result.value == ("m", "other", "m")


def test_what_a_model_said_is_part_of_what_was_read(opened, source):
    said = iter(["", "yes", "yes"])

    def decide(context):
        answer = context.consult(LocalModel("judge"), "where?")
        return plan(LocalModel("m")) if answer is None else plan(LocalModel("other") if context.size else LocalPure())

    _, session = opened(decide, lambda _: next(said))
    with session:
        first = session.run(source(ONE.format(1)))
        second = session.run(source(ONE.format(2)))
        third = session.run(source(ONE.format(3)))
        assert session.problems == (), "the engine is pure"
    assert [targets(each) for each in (first, second, third)] == [
        ["local-model m"],
        ["local-model other"],
        ["local-model other"],
    ]
    assert third.calls[-1].cache.startswith("l1 hit") or third.calls[-1].decision.cache == "l1 hit"


def test_that_a_model_gave_no_answer_decides_for_one_call(opened, source):
    said = iter(["", "yes"])
    _, session = opened(
        lambda c: plan(LocalPure() if c.consult(LocalModel("judge"), "?") is None else LocalModel("m")),
        lambda _: next(said),
    )
    with session:
        assert session.run(source(ONE.format(1))).value != "m"
        assert session.run(source(ONE.format(1))).value == "m"


def test_no_opinion_after_an_answer_lasts_as_long_as_the_answer(opened, source, kit):
    _, session = opened(lambda c: c.consult(LocalModel("judge"), "?") and None)
    with session:
        session.run(source(ONE.format(1)))
        session.run(source(ONE.format(1)))
        before = len(kit.providers["judge"].requests)
        for slot in [each for each in kit.layers["l1"].records if "answer" in str(each)]:
            del kit.layers["l1"].records[slot]
        session.run(source(ONE.format(1)))
    assert (before, len(kit.providers["judge"].requests)) == (1, 2)


def test_a_third_question_is_a_fault_whoever_answered_the_others(opened, source):
    def decide(context):
        for n in range(3):
            context.consult(LocalModel("judge"), f"{n}?")
        return plan(LocalModel("m"))

    _, session = opened(decide)
    with session:
        values = [session.run(source(ONE.format(1))).value for _ in range(3)]
        (problem,) = session.problems
    assert "m" not in values
    assert "asks for more than 2 consultations" in problem.message


class Odd(DelegationPlan):
    """A plan that cannot be made again from its fields."""

    def __init__(self):
        super().__init__(target=LocalModel("m"), reasoning="r", source=PlanSource.ENGINE)


BROKEN = {
    "source": lambda _: DelegationPlan(target=LocalModel("m"), reasoning="r", source=["x"]),
    "subclass": lambda _: Odd(),
    "asks nobody": lambda c: c.consult(LocalPure(), "x"),
    "asks a number": lambda c: c.consult(LocalModel(5), "x"),
    "asks what is no text": lambda c: c.consult(LocalModel("judge"), 5),
    "asks what cannot be kept": lambda c: c.consult(LocalModel([]), "x"),
}


@pytest.mark.parametrize("decide", BROKEN.values(), ids=BROKEN)
def test_what_is_no_decision_leaves_the_own_body_and_is_told(opened, source, decide):
    _, session = opened(decide)
    with session:
        result = session.run(source(ONE.format(1)))
        (problem,) = session.problems
    assert targets(result) == ["local-pure"]
    assert "engine 'static': `decide`" in problem.message


def test_results_can_be_sent_to_other_processes(opened, source):
    _, session = opened(lambda c: plan(LocalModel("m")) if c.args else None)
    with session:
        result = session.run(source(ONE.format(1)))
    assert [call.target for call in pickle.loads(pickle.dumps(result.calls))] == ["local-model m"]


def test_a_call_that_breaks_its_host_keeps_no_plan(opened, source, monkeypatch):
    engine, session = opened(lambda _: plan(Capability("c")))
    with session:
        dispatcher = type(session.host.dispatcher)
        monkeypatch.setattr(dispatcher, "_perform", lambda *_: (_ for _ in ()).throw(ZeroDivisionError))
        for _ in range(2):
            with pytest.raises(ZeroDivisionError):
                session.run(source(ONE.format(1)))
    assert engine.decided == 2, "the plan of the first is not shared"


def test_more_functions_than_are_remembered_start_over_and_known_ones_do_not(opened, source, monkeypatch):
    monkeypatch.setattr("rtfs_framework.orchestrator.deciding.delegate._MOST_FUNCTIONS", 3)
    _, session = opened(lambda _: plan(LocalModel("m")))
    with session:
        delegator: Delegator = session.host.dispatcher.delegator
        for n in range(5):
            session.run(source(f"(defn f [x] {n})\n(f 1)"))
            assert len(delegator._trees) <= 3


def test_shared_children_are_met_once(kit):
    from rtfs_framework.orchestrator.deciding.engines import Engine as Held
    from rtfs_framework.registry.faults import Part

    part = Part("engine", "e", None)
    top = Held(part, None)
    for _ in range(40):
        top = Held(part, None, (top, top))
    assert len(list(top.all())) == 41


def test_a_record_says_what_was_read_by_whom_and_on_what_a_hit_stands(opened, source):
    _, session = opened(lambda c: plan(LocalModel("m"), engine="named") if c.size and c.types else None)
    with session:
        first, second = (session.run(source(ONE.format(1))).calls[-1].decision for _ in range(2))
    assert [(read, value) for read, _, value in first.footprint] == [(("size",), 64), (("types",), (":int",))]
    assert (first.read, first.cache) == (("size", "types"), "l1 miss")
    assert (len(first.path), second.cache) == (1, "l1 hit")
    assert second.stands_on.footprint == first.footprint
    candidates = [show_target(each.target) for each in second.grounds.candidates]
    assert candidates == ["local-model m", "local-model other", "local-model judge"]


def test_arguments_are_named_by_their_key_alone(opened, source):
    _, session = opened(lambda c: plan(LocalModel("m")) if c.args and c.text else None)
    with session:
        decision = session.run(source(ONE.format('"private"'))).calls[-1].decision
    assert [(read, value) for read, _, value in decision.footprint] == [(("args",), None), (("text",), None)]
    assert "private" not in repr(decision)
