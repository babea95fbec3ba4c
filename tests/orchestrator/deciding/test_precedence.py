"""deny > hint > static route > L1 > engine > default: every adjacent pair, and what each step leaves unasked."""

from __future__ import annotations

import pytest

from rtfs_framework.api import CallKind, HostCall, LocalModel, LocalPure, PlanSource, RemoteModel
from rtfs_framework.lang.signature import DelegationHint, FunctionSignature, HintKind

HINTED = FunctionSignature("f", hint=DelegationHint(HintKind.LOCAL_MODEL, "a"), body_digest="1")
PLAIN = FunctionSignature("f", body_digest="1")


def call(function, *args):
    return HostCall(CallKind.DELEGATED, function.name, args, function)


def two(kit):
    return kit.provider("a", lambda _: "a"), kit.provider("b", lambda _: "b")


def test_deny_goes_before_a_hint(kit, fake_engine):
    with kit.open(kit.catalog(*two(kit), engine=fake_engine()), '[security]\ndeny = ["f"]\n') as session:
        decision = session.host.dispatcher.delegator.decide(call(HINTED))
    assert decision.plan.source is PlanSource.POLICY
    assert decision.steps[0] == ("deny", "denied by 'f'")


def test_a_hint_goes_before_a_route(kit, fake_engine):
    with kit.open(
        kit.catalog(*two(kit), engine=fake_engine()), '[delegation.static_routes]\nf = "local-b"\n'
    ) as session:
        decision = session.host.dispatcher.delegator.decide(call(HINTED))
    assert (decision.plan.source, decision.plan.target) == (PlanSource.HINT, LocalModel("a"))
    assert decision.steps == (("deny", "no rule"), ("hint", ':local-model "a" -> local-model a'))
    assert not kit.engine.asked


def test_a_route_goes_before_a_plan_in_l1(kit, fake_engine):
    catalog = kit.catalog(*two(kit), engine=fake_engine(LocalModel("a")), l1=True)
    with kit.open(catalog) as session:
        session.host.dispatcher.delegator.decide(call(PLAIN)).settle(True)
    stored = len(kit.layers["l1"].records)
    with kit.open(catalog, '[delegation.static_routes]\nf = "local-b"\n') as session:
        decision = session.host.dispatcher.delegator.decide(call(PLAIN))
    assert stored == 1
    assert (decision.plan.source, decision.plan.target) == (PlanSource.STATIC_ROUTE, LocalModel("b"))
    assert len(kit.engine.asked) == 1


def test_a_plan_in_l1_goes_before_the_engine(kit, fake_engine):
    catalog = kit.catalog(*two(kit), engine=fake_engine(LocalModel("a")), l1=True)
    with kit.open(catalog) as session:
        first = session.host.dispatcher.delegator.decide(call(PLAIN))
        first.settle(True)
        second = session.host.dispatcher.delegator.decide(call(PLAIN))
    assert (first.plan.source, first.cache) == (PlanSource.ENGINE, "l1 miss")
    assert (second.plan.source, second.cache) == (PlanSource.L1, "l1 hit")
    assert second.plan.target == LocalModel("a")
    assert second.steps[-1] == ("l1", "hit: local-model a, decided by engine 'fake'")
    assert len(kit.engine.asked) == 1


def test_the_engine_goes_before_the_default(kit, fake_engine):
    catalog = kit.catalog(*two(kit), engine=fake_engine(LocalModel("a")))
    with kit.open(catalog, '[delegation]\ndefault_target = "local-b"\n') as session:
        decision = session.host.dispatcher.delegator.decide(call(PLAIN))
    assert decision.plan.target == LocalModel("a")
    assert [name for name, _ in decision.steps] == ["deny", "hint", "static route", "l1", "engine"]


def test_without_an_engine_the_default_counts_and_without_a_default_the_own_body(kit):
    with kit.open(kit.catalog(*two(kit)), '[delegation]\ndefault_target = "local-b"\n') as session:
        configured = session.host.dispatcher.delegator.decide(call(PLAIN))
    with kit.open(kit.catalog(*two(kit)), "") as session:
        plain = session.host.dispatcher.delegator.decide(call(PLAIN))
    assert (configured.plan.source, configured.plan.target) == (PlanSource.DEFAULT, LocalModel("b"))
    assert plain.plan.target == LocalPure()


def test_the_most_specific_route_counts_wherever_it_stands(kit):
    table = {"*": "local-a", "ai-*": "local-pure", "ai-x-*": "local-b", "ai-x-y": "local-a"}
    routes = "[delegation.static_routes]\n" + "".join(f'"{name}" = "{to}"\n' for name, to in table.items())
    with kit.open(kit.catalog(*two(kit)), routes) as session:
        decide = session.host.dispatcher.delegator.decide
        names = ("ai-x-y", "ai-x-z", "ai-z", "other")
        targets = [decide(call(FunctionSignature(name))).plan.target for name in names]
    assert targets == [LocalModel("a"), LocalModel("b"), LocalPure(), LocalModel("a")]


def test_of_a_list_the_first_usable_target_wins_and_the_others_are_told(kit, remote_settings):
    remote = kit.provider("acme", lambda _: "r", remote=True, settings=remote_settings)
    routes = '[delegation.static_routes]\nf = ["remote-acme", "local-a", "local-b"]\n'
    catalog = kit.catalog(*two(kit), remote)
    with kit.open(catalog, routes) as session:
        without_key = session.host.dispatcher.delegator.decide(call(PLAIN)).plan
    with kit.open(catalog, routes, environ={**kit.environ, "ACME_API_KEY": "k"}) as session:
        with_key = session.host.dispatcher.delegator.decide(call(PLAIN)).plan
    assert without_key.target == LocalModel("a")
    assert without_key.context[0][0] == "excluded"
    assert "ACME_API_KEY is not set" in without_key.context[0][1]
    assert with_key.target == RemoteModel("acme")


@pytest.mark.parametrize(
    ("reach", "expected"),
    [("remote", RemoteModel("acme")), ("local", LocalPure()), ("pure", LocalPure())],
)
def test_reach_narrows_a_hint_towards_home_and_says_so(kit, reach, expected):
    remote = kit.provider("acme", lambda _: "r", remote=True)
    hinted = FunctionSignature("f", hint=DelegationHint(HintKind.REMOTE, "acme"))
    with kit.open(kit.catalog(remote), f'[security]\nreach = "{reach}"\n') as session:
        decision = session.host.dispatcher.delegator.decide(call(hinted))
    assert decision.plan.target == expected
    assert (decision.steps[-1][0] == "security") is (expected == LocalPure())


def test_an_engine_cannot_send_data_beyond_reach(kit, fake_engine):
    remote = kit.provider("acme", lambda _: "r", remote=True)
    catalog = kit.catalog(remote, engine=fake_engine(RemoteModel("acme")), l1=True)
    with kit.open(catalog, '[security]\nreach = "local"\n') as session:
        decide = session.host.dispatcher.delegator.decide
        assert decide(call(PLAIN)).plan.target == LocalPure()
        assert decide(call(PLAIN)).plan.target == LocalPure()


def test_an_engine_that_names_a_target_nobody_configured_is_brought_home(kit, fake_engine):
    with kit.open(kit.catalog(engine=fake_engine(LocalModel("ghost")))) as session:
        decision = session.host.dispatcher.delegator.decide(call(PLAIN))
    assert decision.plan.target == LocalPure()
    assert "no such provider is configured" in dict(decision.plan.context)["narrowed"]


@pytest.mark.parametrize(
    ("hint", "claimed", "deny", "offered"),
    [
        (None, (), "", False),
        (None, ("f",), "", True),
        (None, ("g",), "", False),
        (None, (), "f", True),
        (HintKind.REMOTE, (), "", True),
        (HintKind.LOCAL, ("f",), "", False),
        (HintKind.LOCAL, (), "f", True),
    ],
)
def test_what_nothing_can_delegate_is_never_offered(kit, fake_engine, hint, claimed, deny, offered):
    function = FunctionSignature("f", hint=None if hint is None else DelegationHint(hint, "x"))
    config = f'[security]\ndeny = ["{deny}"]\n' if deny else ""
    with kit.open(kit.catalog(engine=fake_engine(claimed=claimed)), config) as session:
        assert session.host.dispatcher.delegator.claims(function) is offered
