"""A second request is told before it is made: where a call goes, what a program may touch, what follows a failure."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from attrs import evolve

from rtfs_framework.api import DelegationPlan, Hedge, PlanSource, RemoteModel
from rtfs_framework.cli.commands.explain import _lines
from rtfs_framework.cli.shown.purity import _answer, program_json
from rtfs_framework.kernel.limits import Limits
from rtfs_framework.lang.source import Source
from rtfs_framework.orchestrator.explaining.checking import check
from rtfs_framework.orchestrator.explaining.manifest import draw
from rtfs_framework.orchestrator.performing.sending import Sender

ONE, TWO, THREE = map(RemoteModel, ("one", "two", "three"))
CONFIG = "".join(f"[delegation.remote_providers.{n}]\nidempotent = true\n" for n in ("one", "two", "three"))
PROGRAM = '(defn ask [text :string] : :string "own") (defn main [] (ask "x"))'
CALL = '(ask "x")'
SAID = "and remote two as well after 200 ms without an answer (hedge, for at most $1)"


class Hedges:
    """Asks two; what follows a failure is a third, beside the second."""

    def __init__(self, read=False):
        self.read = read

    def claims(self):
        return ("ask",)

    def decide(self, context):
        if self.read:
            context.args  # noqa: B018 - what is read makes the site depend on the call
        target, after = (THREE, 2.5) if context.attempts else (ONE, 0.2)
        hedge = Hedge(target=TWO, after=after, most=None if context.attempts else 1.0)
        return DelegationPlan(target=target, reasoning="r", source=PlanSource.ENGINE, hedge=hedge)


@pytest.fixture
def desk(kit, source):
    def open_(*, read=False, l1=True, **entries):
        models = [kit.provider(name, lambda _: "x", remote=True) for name in ("one", "two", "three")]
        catalog = kit.catalog(*models, engine=Hedges(read), l1=l1)
        for name, changes in entries.items():
            entry, who = catalog.providers[name]
            catalog = evolve(catalog, providers={**catalog.providers, name: (evolve(entry, **changes), who)})
        return kit.open(catalog, CONFIG)

    return SimpleNamespace(open=open_, source=source(PROGRAM))


def shown(site):
    return "\n".join("".join(str(getattr(part, "text", part)) for part in line) for line in _lines(site))


def test_a_call_and_its_site_say_whom_a_run_asks_as_well(desk):
    with desk.open() as session:
        (site,) = session.explain(desk.source)
        call = session.explain_call(desk.source, Source("<call 1>", CALL))
    for each in (site, call):
        assert each.to_json()["hedge"] == {"target": "remote two", "after": 0.2, "most": 1.0}
        assert SAID in shown(each)
        assert SAID in str(_answer(each))
    case, then = call.way.follows[0]
    assert case == "if remote one does not answer"
    assert then == "remote three, and remote two as well after 2.5 s without an answer (hedge) (r)"


def test_where_the_target_depends_on_the_call_its_examples_say_it(desk):
    with desk.open(read=True) as session:
        (site,) = session.explain(desk.source)
    assert site.hedge is None
    assert site.examples
    assert all(said == f"remote one, {SAID}" for _, said in site.examples)


def test_a_manifest_lists_both_targets(desk):
    with desk.open() as session:
        drawn = draw(session.host, desk.source, Limits())
        (told,) = program_json("p.rtfs", check(session.host, desk.source, Limits()))["calls"]
    assert sorted(drawn.manifest.targets) == ["remote-one", "remote-two"]
    assert SAID in drawn.text
    assert told["hedge"]["target"] == "remote two"


@pytest.mark.parametrize("why", ["calls must not overlap", "the first answers at once"])
def test_where_a_run_sends_no_second_request_none_is_told(desk, monkeypatch, why):
    monkeypatch.setattr(Sender, "immediate", lambda *_: why == "the first answers at once")
    with desk.open(two={"order_independent": why != "calls must not overlap"}) as session:
        (site,) = session.explain(desk.source)
    assert (site.target, site.hedge) == ("remote one", None)


@pytest.mark.parametrize(("l1", "verdict"), [(True, "not looked at"), (False, "off")])
def test_what_is_said_of_l1_is_true(desk, l1, verdict):
    with desk.open(l1=l1) as session:
        (site,) = session.explain(desk.source)
        call = session.explain_call(desk.source, Source("<call 1>", CALL))
    assert [dict(each.steps)["l1"] for each in (site, call)] == [verdict, verdict]
