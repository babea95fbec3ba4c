"""The delegator besides its order: keys that never collide, plugins that break, consultations, bounds."""

from __future__ import annotations

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtfs_framework.api import (
    CacheRecord,
    CallKind,
    Consult,
    DelegationPlan,
    HostCall,
    LocalModel,
    LocalPure,
    PlanScope,
    PlanSource,
    RemoteModel,
)
from rtfs_framework.kernel.outcome import FunctionSignature
from rtfs_framework.lang.values import ErrorValue
from rtfs_framework.orchestrator.concurrency.clock import SystemClock
from rtfs_framework.orchestrator.config.security import RuntimeContext
from rtfs_framework.orchestrator.deciding.delegate import Delegator, Undecided
from rtfs_framework.orchestrator.deciding.engines import Engine
from rtfs_framework.orchestrator.deciding.precedence import Precedence
from rtfs_framework.orchestrator.deciding.security import SecurityAuthorizer
from rtfs_framework.orchestrator.remembering.cache_stack import SafeLayer
from rtfs_framework.registry.faults import Part, PluginFault
from rtfs_framework.registry.problems import Provenance
from rtfs_framework.testing import FakeClock


class AnyTarget:
    candidates = ()

    def configured(self, target):
        return True

    def of_hint(self, hint):
        return LocalModel(hint.id)

    def unusable(self, target):
        return None


class Sends:
    """Sends every symbol to a model named by what it was told to look at."""

    def __init__(self, name, scope=None):
        self.name = name
        self.asked = 0
        self.scope = scope or PlanScope.ARGUMENTS

    def claims(self):
        return ("*",)

    def decide(self, context):
        self.asked += 1
        target = LocalModel(f"{self.name}/{context.symbol}/{context.function.body_digest}")
        return DelegationPlan(target=target, reasoning="r", source=PlanSource.ENGINE)


class Layer:
    def __init__(self):
        self.records = {}

    def get(self, key):
        return self.records.get((key.namespace, key.digest))

    def put(self, key, value, ttl=None):
        self.records[key.namespace, key.digest] = CacheRecord(value=value, stored_at=0.0)


LOCAL = LocalPure()
WHO = Provenance("acme-plugin", "1.2", "acme")


def delegator(engine, l1, policy="p", report=lambda *_: None, clock=None, default=LOCAL):
    clock = clock or FakeClock()
    precedence = Precedence(SecurityAuthorizer(RuntimeContext()), AnyTarget(), {}, default, clock)
    held = Engine(Part("engine", "e", WHO), engine, getattr(engine, "scope", PlanScope.ARGUMENTS))
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


@pytest.fixture
def layer(kit):
    kit.catalog(l1=True)
    return kit.layers["l1"]


texts = st.text("ab", max_size=3)


@given(calls=st.lists(st.tuples(texts, texts, texts), min_size=1, max_size=30))
def test_l1_never_serves_the_plan_of_another_policy_function_or_symbol(calls):
    shared = Layer()  # fresh for each example, which a fixture would not be
    for policy, symbol, body in calls:
        decided = delegator(Sends(policy, PlanScope.SYMBOL), shared, policy).decide(call(symbol, body))
        assert decided.plan.target == LocalModel(f"{policy}/{symbol}/{body}")


def test_arguments_count_unless_the_engine_says_that_only_the_symbol_does(layer):
    for scope, expected in ((None, 2), (PlanScope.ARGUMENTS, 2), (PlanScope.SYMBOL, 1)):
        layer.clear()
        engine = Sends("x", scope)
        made = delegator(engine, layer)
        for args in ((1,), (2,), (1,)):
            made.decide(call("f", args=args))
        assert engine.asked == expected, scope


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
    made = delegator(Sends("x", PlanScope.SYMBOL), layer, report=lambda *what: reports.append(what))
    for _ in range(3):
        assert made.decide(call("f")).plan.target == LocalModel("x/f/")
    assert [(part.name, doing) for part, _, doing, _ in reports] == [("l1", f"`{method}`")]


def test_what_is_no_plan_is_not_served(layer, monkeypatch):
    made = delegator(Sends("x", PlanScope.SYMBOL), layer)
    made.decide(call("f"))
    for slot, record in layer.records.items():
        layer.records[slot] = attrs.evolve(record, value="local-pure")
    assert made.decide(call("f")).plan.source is PlanSource.ENGINE


def test_an_engine_may_ask_to_consult_a_model_first(layer):
    class Asks(Sends):
        def decide(self, context):
            return Consult(LocalModel("judge"), "where?")

        def conclude(self, context, consult, answer):
            return DelegationPlan(target=LocalModel(answer), reasoning=consult.question, source=PlanSource.ENGINE)

    made = delegator(Asks("x", PlanScope.SYMBOL), layer)
    asked = made.decide(call("f"))
    assert isinstance(asked, Undecided)
    assert made.conclude(asked, "m").plan.target == LocalModel("m")
    assert made.decide(call("f")).plan.source is PlanSource.L1


def test_plans_carry_the_time_that_the_host_read(layer):
    clock = FakeClock(wall=42.0)
    assert delegator(Sends("x"), layer, clock=clock).decide(call("f")).plan.created_at == 42.0


def test_arguments_that_are_no_plain_data_are_no_key(layer):
    engine = Sends("x")
    made = delegator(engine, layer)
    for argument in (len, abs, ErrorValue("Generic", "m", 1), ErrorValue("Generic", "m", 2)):
        decision = made.decide(call("f", args=(argument,)))
        assert ("l1", "not asked: an argument or a hint is no plain data") in decision.steps
        assert decision.cache == ""
    assert engine.asked == 4
    assert made.decide(call("f", args=(1,))).cache == "l1 miss"


def test_a_preview_neither_reads_nor_writes_l1(layer):
    made = delegator(Sends("x", PlanScope.SYMBOL), layer)
    made.preview(call("f"))
    assert not layer.records
    assert (layer.hits, layer.misses) == (0, 0)


def test_functions_made_in_a_loop_do_not_pile_up(layer):
    made = delegator(Sends("x", PlanScope.SYMBOL), layer)
    for n in range(5000):
        made.decide(call("f", str(n)))
    assert len(made._by_identity) <= 4096


def test_the_clock_of_the_machine_moves_forward():
    clock = SystemClock()
    before = clock.monotonic()
    assert clock.monotonic() >= before
    assert clock.now() > 1_700_000_000
