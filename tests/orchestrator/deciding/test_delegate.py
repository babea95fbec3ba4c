"""The delegator besides its order: keys that never collide, plugins that break, consultations, bounds."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtfs_framework.api import (
    CacheRecord,
    CallKind,
    DelegationPlan,
    Deny,
    HostCall,
    LocalModel,
    LocalPure,
    PlanSource,
    RemoteModel,
)
from rtfs_framework.lang.signature import FunctionSignature
from rtfs_framework.lang.values import ErrorValue
from rtfs_framework.orchestrator.concurrency.clock import SystemClock
from rtfs_framework.orchestrator.config.model import AttemptSpec
from rtfs_framework.orchestrator.config.security import RuntimeContext
from rtfs_framework.orchestrator.deciding.delegate import Delegator
from rtfs_framework.orchestrator.deciding.engines import Engine
from rtfs_framework.orchestrator.deciding.facts import ContextClosedError, Question
from rtfs_framework.orchestrator.deciding.known import Undecided
from rtfs_framework.orchestrator.deciding.precedence import Precedence
from rtfs_framework.orchestrator.deciding.security import SecurityAuthorizer
from rtfs_framework.orchestrator.deciding.sequel import Sequel
from rtfs_framework.orchestrator.deciding.signals import NO_SIGNALS
from rtfs_framework.orchestrator.remembering.safe_layer import SafeLayer
from rtfs_framework.registry.faults import Part, PluginFault
from rtfs_framework.registry.problems import Provenance
from rtfs_framework.testing import FakeClock


class AnyTarget:
    candidates = all = ()

    def configured(self, target):
        return True

    def of_hint(self, hint):
        return LocalModel(hint.id)

    def unusable(self, target):
        return None


class Sends:
    """Sends every symbol to a model named by what it looks at; it reads what it is told to."""

    def __init__(self, name, *reads):
        self.name = name
        self.asked = 0
        self.reads = reads

    def claims(self):
        return ("*",)

    def decide(self, context):
        self.asked += 1
        for name in self.reads:
            getattr(context, name)
        target = LocalModel(f"{self.name}/{context.symbol}/{context.function.body_digest}")
        return DelegationPlan(target=target, reasoning="r", source=PlanSource.ENGINE)


class Layer:
    def __init__(self):
        self.records = {}

    def get(self, key):
        return self.records.get((key.namespace, key.digest))

    def put(self, key, value, ttl=None, info=None):
        self.records[key.namespace, key.digest] = CacheRecord(value=value, stored_at=0.0)


LOCAL = LocalPure()
WHO = Provenance("acme-plugin", "1.2", "acme")


def delegator(engine, l1, policy="p", report=lambda *_: None, clock=None, default=LOCAL):
    clock = clock or FakeClock()
    precedence = Precedence(
        security=SecurityAuthorizer(RuntimeContext()),
        targets=AnyTarget(),
        routes={},
        default_target=default,
        clock=clock,
        sequel=Sequel(spec=AttemptSpec(), candidate=lambda _: None, signals=NO_SIGNALS),
    )
    held = Engine(Part("engine", "e", WHO), engine)
    return Delegator(
        precedence=precedence,
        engine=held,
        l1=SafeLayer(Part("cache", "l1", WHO), l1, report),
        policy_hash=policy,
        clock=clock,
        report=report,
    )


def call(name, body="", args=()):
    return HostCall(CallKind.DELEGATED, name, args, FunctionSignature(name, body_digest=body))


def succeed(decision):
    if decision.settle is not None:
        decision.settle(True)
    return decision


@pytest.fixture
def layer(kit):
    kit.catalog(l1=True)
    return kit.layers["l1"]


texts = st.text("ab", max_size=3)


@given(calls=st.lists(st.tuples(texts, texts, texts), min_size=1, max_size=30))
def test_l1_never_serves_the_plan_of_another_policy_function_or_symbol(calls):
    shared = Layer()  # fresh for each example, which a fixture would not be
    for policy, symbol, body in calls:
        decided = succeed(delegator(Sends(policy), shared, policy).decide(call(symbol, body)))
        assert decided.plan.target == LocalModel(f"{policy}/{symbol}/{body}")


@pytest.mark.parametrize(
    ("reads", "asked"),
    [((), 1), (("args",), 4), (("types",), 2), (("arg_type_fingerprint",), 2), (("size",), 2), (("types", "size"), 3)],
)
def test_a_plan_is_served_again_only_while_what_was_read_is_the_same(layer, reads, asked):
    engine = Sends("x", *reads)
    made = delegator(engine, layer)
    for args in (("a",), ("b",), ("c" * 4000,), (1,)) * 3:
        succeed(made.decide(call("f", args=args)))
    assert engine.asked == asked


def test_a_plan_is_kept_only_when_a_call_has_succeeded_on_it(layer):
    engine = Sends("x")
    made = delegator(engine, layer)
    first = made.decide(call("f"))
    shared = made.decide(call("f"))
    assert (engine.asked, shared.plan.source) == (1, PlanSource.L1), "equal calls under way share it"
    assert not layer.records
    first.settle(False)
    assert not layer.records
    again = made.decide(call("f"))
    assert engine.asked == 2
    succeed(again)
    assert len(layer.records) == 1
    assert made.decide(call("f")).cache == "l1 hit"


def test_own_bodies_and_denials_count_at_once(layer):
    for target in (LocalPure(), Deny("no")):

        class Fixed(Sends):
            def decide(self, context, target=target):
                return DelegationPlan(target=target, reasoning="r", source=PlanSource.ENGINE)

        layer.clear()
        decision = delegator(Fixed("x"), layer).decide(call("f"))
        assert (decision.settle, len(layer.records)) == (None, 1)


def test_an_engine_that_reads_other_things_after_equal_reads_is_told_and_not_kept(layer):
    class Moody(Sends):
        def decide(self, context):
            self.reads = ("size",) if self.asked % 2 else ("args", "types")
            return super().decide(context)

    told = []
    made = delegator(Moody("x"), layer, report=lambda *what: told.append(what))
    for n in range(3):
        assert made.decide(call("f", args=(n,))).plan.target == LocalModel("x/f/")
    assert [wrong for _, wrong, _, _ in told if "equal reads" in str(wrong)]


def test_a_context_ends_with_its_decision_and_belongs_to_its_thread(layer):
    class Keeps(Sends):
        def decide(self, context):
            self.kept = context
            with ThreadPoolExecutor(1) as pool:
                self.elsewhere = pool.submit(lambda: context.args).exception()
            return super().decide(context)

    engine = Keeps("x")
    delegator(engine, layer).decide(call("f", args=(1,)))
    assert isinstance(engine.elsewhere, ContextClosedError)
    with pytest.raises(ContextClosedError):
        engine.kept.args  # noqa: B018 - reading is what is refused
    assert engine.kept.symbol == "f"


def test_an_engine_without_an_opinion_leaves_the_default_to_decide(layer):
    class Shrugs(Sends):
        def decide(self, context):
            self.asked += 1

    engine = Shrugs("x")
    made = delegator(engine, layer, default=RemoteModel("d"))
    decision = made.decide(call("f"))
    assert made.decide(call("f")) is decision, "it is asked once"
    assert engine.asked == 1
    assert (decision.plan.target, decision.plan.source) == (RemoteModel("d"), PlanSource.DEFAULT)
    assert ("engine", "e: no opinion") in decision.steps


def test_a_broken_engine_is_reported_and_the_own_body_runs_whatever_the_default_is(layer):
    class Broken(Sends):
        def decide(self, context):
            raise ZeroDivisionError("oops")

    reports = []
    made = delegator(Broken("x"), layer, report=lambda *what: reports.append(what), default=RemoteModel("default"))
    decision = made.decide(call("f"))
    assert (decision.plan.target, decision.plan.source, decision.plan.engine) == (LocalPure(), PlanSource.ENGINE, "e")
    (step,) = [verdict for step, verdict in decision.steps if step == "engine"]
    assert step.startswith("engine 'e': `decide` failed: ZeroDivisionError: oops (test_delegate.py:")
    assert str(reports[0][0]) == "engine 'e' (acme-plugin 1.2)"
    assert not layer.records


def test_nobody_knows_what_a_broken_engine_claims(layer):
    class Broken(Sends):
        def claims(self):
            raise ZeroDivisionError

    with pytest.raises(PluginFault, match=r"acme-plugin 1\.2: engine 'e': `claims` failed: ZeroDivisionError"):
        delegator(Broken("x"), layer).claims(FunctionSignature("f"))


@pytest.mark.parametrize("method", ["get", "put"])
def test_a_broken_l1_is_reported_once_and_left_out(layer, monkeypatch, method):
    def broken(*_):
        raise OSError("disk")

    monkeypatch.setattr(layer, method, broken)
    reports = []
    made = delegator(Sends("x"), layer, report=lambda *what: reports.append(what))
    for _ in range(3):
        assert succeed(made.decide(call("f"))).plan.target == LocalModel("x/f/")
    assert [(part.name, doing) for part, _, doing, _ in reports] == [("l1", f"`{method}`")]


def test_what_is_no_plan_is_not_served(layer, monkeypatch):
    made = delegator(Sends("x"), layer)
    succeed(made.decide(call("f")))
    for slot, record in layer.records.items():
        layer.records[slot] = attrs.evolve(record, value="local-pure")
    assert made.decide(call("f")).plan.source is PlanSource.ENGINE


class Asks(Sends):
    """Catches all that it can, and decides all the same: the host does not believe it while an answer is missing."""

    def decide(self, context):
        self.asked += 1
        answer = "nothing"
        with suppress(BaseException):
            answer = context.consult(LocalModel("judge"), "where?")
        if answer == "nothing":
            with pytest.raises(BaseException, match=""):
                context.args  # noqa: B018 - it raises again, for the question is open
        return DelegationPlan(target=LocalModel(f"{answer}"), reasoning="where?", source=PlanSource.ENGINE)


def test_an_engine_may_consult_a_model_first(layer):
    engine = Asks("x")
    made = delegator(engine, layer)
    asked = made.decide(call("f"))
    assert isinstance(asked, Undecided)
    assert asked.question == Question(LocalModel("judge"), "where?")
    decided = made.go_on(asked, "m")
    assert decided.plan.target == LocalModel("m")
    succeed(decided)
    assert made.decide(call("f")).plan.source is PlanSource.L1
    assert engine.asked == 2


def test_an_answer_is_kept_whether_or_not_the_plan_is(layer):
    made = delegator(Asks("x"), layer)
    made.go_on(made.decide(call("f")), "m").settle(False)
    decided = made.decide(call("f"))
    assert (decided.plan.target, decided.plan.source) == (LocalModel("m"), PlanSource.ENGINE), "nobody is asked again"
    other = delegator(Asks("x"), layer, policy="another")
    assert isinstance(other.decide(call("f")), Undecided), "of another policy's model nothing is known"


def test_no_answer_is_none_and_is_not_kept(layer):
    made = delegator(Asks("x"), layer)
    assert made.go_on(made.decide(call("f")), None).plan.target == LocalModel("None")
    assert not [slot for slot in layer.records if slot[0] == "answer"]


def test_another_order_of_reads_after_an_answer_is_no_pure_decision(layer):
    class Turns(Sends):
        def decide(self, context):
            self.asked += 1
            _ = context.types if self.asked == 1 else context.size
            context.consult(LocalModel("judge"), "where?")
            return super().decide(context)

    told = []
    made = delegator(Turns("x"), layer, report=lambda *what: told.append(what))
    decided = made.go_on(made.decide(call("f")), "m")
    assert decided.plan.target == LocalPure()
    assert "equal reads" in str(told[0][1])


def test_plans_carry_the_time_that_the_host_read(layer):
    clock = FakeClock(wall=42.0)
    assert delegator(Sends("x"), layer, clock=clock).decide(call("f")).plan.created_at == 42.0


def test_arguments_that_are_no_plain_data_are_no_key(layer):
    engine = Sends("x", "args")
    made = delegator(engine, layer)
    for argument in (len, abs, ErrorValue("Generic", "m", 1), ErrorValue("Generic", "m", 2)):
        decision = made.decide(call("f", args=(argument,)))
        assert ("l1", "not asked: the engine read args, and it is no plain data") in decision.steps
        assert decision.cache == ""
    assert engine.asked == 4
    assert made.decide(call("f", args=(1,))).cache == "l1 miss"


def test_a_preview_neither_reads_nor_writes_l1(layer):
    made = delegator(Sends("x"), layer)
    made.preview(call("f"))
    assert not layer.records
    assert (layer.hits, layer.misses) == (0, 0)


def test_functions_made_in_a_loop_do_not_pile_up(layer):
    made = delegator(Sends("x"), layer)
    for n in range(5000):
        made.decide(call("f", str(n)))
    assert len(made._by_identity) <= 512
    assert len(made._trees) <= 512


def test_places_of_plans_do_not_pile_up(layer, monkeypatch):
    monkeypatch.setattr("rtfs_framework.orchestrator.deciding.delegate.MOST_LEAVES", 10)
    engine = Sends("x", "args")
    made = delegator(engine, layer)
    for n in range(100):
        succeed(made.decide(call("f", args=(n,))))
        assert made._leaves <= 10
    assert made.decide(call("f", args=(99,))).cache == "l1 hit"


def test_the_clock_of_the_machine_moves_forward():
    clock = SystemClock()
    before = clock.monotonic()
    assert clock.monotonic() >= before
    assert clock.now() > 1_700_000_000
