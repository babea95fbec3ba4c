"""Budgets in the loop of attempts: another target is tried, engines see it coming, and only memory is free."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

import pytest

from rtfs_framework.api import DelegationPlan, InferenceReply, LocalModel, LocalPure, PlanSource, RemoteModel, Usage
from rtfs_framework.api.signals import Left
from rtfs_framework.testing.clock import FakeClock

PROGRAM = '(defn f [x] "own body")\n'
CLOUD = "[delegation.remote_providers.cloud]\nprovider = 'cloud'\n"
BUDGET = "[budgets.b]\ncalls = {calls}\ntarget = 'remote-*'\n"


@pytest.fixture
def parts(kit, remote_settings):
    """Return the providers: a remote one that is paid, a local one that is free and says always the same."""

    def says(text):
        return lambda _: InferenceReply(text=text, usage=Usage(10, 10))

    return (
        kit.provider("cloud", says("cloud"), remote=True, settings=remote_settings),
        kit.provider("near", says("near"), deterministic=True),
    )


@pytest.fixture
def opened(kit, parts):
    """Return a function that opens a session on these providers."""
    clock = FakeClock()

    def made(config, **catalog):
        environ = {**kit.environ, "ACME_API_KEY": "k"}
        return kit.open(kit.catalog(*parts, **catalog), config + CLOUD, clock=clock, environ=environ)

    made.clock = clock
    return made


def asked(kit, name):
    return len(kit.providers[name].requests)


def test_where_a_budget_refuses_the_next_target_of_a_list_is_tried(opened, source, kit) -> None:
    routes = "[delegation.static_routes]\nf = ['remote-cloud', 'local-near']\n"
    with opened(routes + BUDGET.format(calls=1)) as session:
        result = session.run(source(PROGRAM + "[(f 1) (f 2) (f 3)]"))
    assert result.value == ("cloud", "near", "near")
    assert (asked(kit, "cloud"), result.summary.errors) == (1, 0)
    refused = result.calls[1].attempts[0]
    assert (refused.attempt.guard, refused.attempt.target, refused.cost) == ("budget", RemoteModel("cloud"), 0.0)
    assert "'b' has 0 calls left" in refused.attempt.reason


def test_where_nothing_is_left_of_a_route_the_functions_own_body_runs(opened, source) -> None:
    with opened("[delegation.static_routes]\nf = 'remote-cloud'\n" + BUDGET.format(calls=1)) as session:
        result = session.run(source(PROGRAM + "[(f 1) (f 2)]"))
    assert result.value == ("cloud", "own body")
    assert result.calls[1].exhausted == "body"


class Thrifty:
    """Goes to the cloud while there is plenty."""

    def claims(self):
        return ("f",)

    def decide(self, context):
        rich = context.budget("b") is Left.PLENTY
        target = RemoteModel("cloud") if rich else LocalModel("near")
        return DelegationPlan(target=target, reasoning="", source=PlanSource.ENGINE, engine="thrifty")


def test_an_engine_sees_it_coming_and_the_journal_has_what_it_saw(opened, source, kit) -> None:
    with opened(BUDGET.format(calls=10), engine=Thrifty(), l1=True) as session:
        found = []
        for number in range(12):
            found.append(session.run(source(PROGRAM + f"(f {number})")).value)
            opened.clock.advance(2)
    assert found == ["cloud"] * 9 + ["near"] * 3, "at a tenth it saves the rest"
    with closing(sqlite3.connect(kit.journal)) as journal:
        rows = [json.loads(body) for (body,) in journal.execute("select body from log where what = 'signal'")]
    assert [(row["signal"], row["of"], row["value"]) for row in rows if row["signal"] == "budget"] == [
        ("budget", "b", "some")
    ]


def test_what_comes_from_memory_is_free(opened, source, kit) -> None:
    config = "[delegation.static_routes]\nf = 'local-near'\n[budgets.b]\ncalls = 1\n"
    with opened(config, l2=True) as session:
        assert session.run(source(PROGRAM + "[(f 1) (f 1) (f 1)]")).value == ("near",) * 3
    assert asked(kit, "near") == 1


def test_equal_calls_at_once_are_paid_once(opened, source, kit) -> None:
    config = "[delegation.static_routes]\nf = 'local-near'\n[budgets.b]\ncalls = 1\n"
    with opened(config, l2=True) as session:
        assert session.run(source(PROGRAM + "(pmap f [1 1 1 1 1])")).value == ("near",) * 5
    assert asked(kit, "near") == 1


class Curious:
    """Asks the cloud before it decides."""

    def claims(self):
        return ("f",)

    def decide(self, context):
        said = context.consult(RemoteModel("cloud"), f"where? {context.args}")
        return DelegationPlan(
            target=LocalPure(), reasoning=str(said), source=PlanSource.ENGINE, engine="curious"
        )  # fmt: skip


def test_questions_of_engines_are_paid_from_budgets_too(opened, source, kit) -> None:
    with opened(BUDGET.format(calls=2) + "[ledger]\nmax_tokens = 33\n", engine=Curious()) as session:
        result = session.run(source(PROGRAM + "[(f 1) (f 2) (f 3)]"))
    assert result.value == ("own body",) * 3, "a question that is not asked stops nothing"
    assert [each.max_tokens for each in kit.providers["cloud"].requests] == [33, 33]
    reasons = [each.decision.plan.reasoning for each in result.calls if each.decision is not None]
    assert reasons == ["cloud", "cloud", "None"]


def test_money_alone_does_not_concern_what_is_free(opened, source) -> None:
    with opened("[budgets.b]\nusd = 0.01\n") as session:
        cloud, near = (session.host.pool.instances[each] for each in (RemoteModel("cloud"), LocalModel("near")))
        budgets = session.host.counting.budgets
        assert (budgets.concerns(cloud), budgets.concerns(near)) == (True, False)
    with opened("[budgets.b]\ncalls = 1\ntarget = 'local-near'\n") as session:
        budgets = session.host.counting.budgets
        assert [budgets.concerns(each) for each in (cloud, near)] == [False, True]
