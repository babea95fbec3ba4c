"""Budgets that are waited for by hedged calls, and by calls of targets that answer later."""

from __future__ import annotations

from importlib import import_module

import attrs
import pytest

from rtfs_framework.api import (
    DelegationPlan,
    Hedge,
    InferenceReply,
    ItemFilter,
    PlanSource,
    ProgramError,
    QueueEntry,
    QueueSettings,
    RemoteModel,
)
from rtfs_framework.orchestrator.recording.journal import query
from rtfs_framework.orchestrator.recording.purse import RunParked
from rtfs_framework.orchestrator.running.resuming import Resuming
from rtfs_framework.testing.clock import FakeClock

ASKS = """
(defn ask [x : :string] : :string "own")
(defn main [] [(ask "1") (ask "2") (ask "3")])
"""
MODELS = """
[delegation]
on_exhausted = "error"
[delegation.remote_providers.m]
provider = "m"
idempotent = true
[delegation.remote_providers.n]
provider = "n"
idempotent = true
"""
BUDGET = '[budgets.hourly]\ncalls = 2\nper = "hour"\nused_up = "{}"\n'


class Hedges:
    """Sends everything to one model, and asks the other, too."""

    def claims(self):
        return ("ask",)

    def decide(self, context):
        if context.attempts:
            return None
        hedge = Hedge(target=RemoteModel("n"), after=20.0)
        return DelegationPlan(
            target=RemoteModel("m"), reasoning="because", source=PlanSource.ENGINE, engine="h", hedge=hedge
        )


@pytest.fixture
def opened(kit):
    """Return a function that opens a session of two models that note what they are asked."""
    asked = []

    def says(name, answer):
        def said(request):
            asked.append((name, request.args[0]))
            return answer(request)

        return said

    def open_(config, clock):
        m = lambda request: InferenceReply(text=f"said {request.args[0]}")  # noqa: E731
        n = lambda request: InferenceReply(text=f"n {request.args[0]}")  # noqa: E731
        providers = [kit.provider(name, says(name, how), remote=True) for name, how in (("m", m), ("n", n))]
        session = kit.open(kit.catalog(*providers, engine=Hedges()), MODELS + config, clock=clock)
        session.park(0.0)
        return session

    open_.asked = asked
    return open_


def go_on(kit, open_, config, clock):
    """Go on with the latest run until it ends or waits; return its value."""
    with open_(config, clock) as session:
        return session.resume(Resuming(run=query.list_runs(kit.journal)[0].id)).value


def test_a_hedged_call_waits_and_is_hedged_then(kit, opened, source):
    clock, config = FakeClock(), BUDGET.format("wait")
    with opened(config, clock) as session, pytest.raises(RunParked, match="'hourly' has 0 calls left"):
        session.run(source(ASKS), entry="main")
    assert [arg for _, arg in opened.asked] == ["1", "2"]
    clock.advance(3600)
    assert go_on(kit, opened, config, clock) == ("said 1", "said 2", "said 3")
    assert opened.asked == [("m", "1"), ("m", "2"), ("m", "3")]


def test_a_hedged_call_that_nobody_waits_for_is_refused(opened, source):
    with opened(BUDGET.format("refuse"), FakeClock()) as session, pytest.raises(ProgramError, match="0 calls left"):
        session.run(source(ASKS), entry="main")


LATER = """
(defn ^:delegation :remote "m" ask [x : :string] : :string "own")
(defn main [] [(ask "1") (ask "2") (call :put "x") (ask "3")])
"""


@pytest.fixture
def queued(world, monkeypatch):
    """Return the world with a model that answers later, by a queue in a file."""
    factory = import_module("rtfs_queue_sqlite.plugin").rtfs_queues()[0].factory
    catalog = world.catalog()
    entry = QueueEntry(name="sqlite", summary="", factory=factory)
    catalog = attrs.evolve(catalog, queues={"sqlite": (entry, catalog.providers["m"][1])})
    monkeypatch.setattr(type(world), "catalog", lambda _self: catalog)
    return world, factory


@pytest.mark.needs("rtfs-queue-sqlite")
@pytest.mark.parametrize("used_up", ["wait", "refuse"])
def test_a_target_that_answers_later_waits_with_its_item(queued, source, used_up):
    world, factory = queued
    clock = FakeClock()
    world.config = '[delegation.remote_providers.m]\nprovider = "m"\nlater = true\n' + BUDGET.format(used_up)

    def items():
        queue = factory(QueueSettings(clock=clock, directory=str(world.kit.home)))
        try:
            return sorted(each.state for each in queue.items(ItemFilter(topic="tickets")))
        finally:
            queue.close()

    waits, refused = pytest.raises(RunParked), pytest.raises(ProgramError, match="0 calls left")
    with world.open(clock=clock) as session:
        session.park(0.0)
        with waits if used_up == "wait" else refused:
            session.run(source(LATER), entry="main")
    assert items() == sorted(["done", "done", "queued" if used_up == "wait" else "dead"])
    if used_up == "refuse":
        return
    clock.advance(3600)
    with world.open(clock=clock) as session:
        session.park(0.0)
        assert session.resume(Resuming(run=world.run)).value == ("said 1", "said 2", "put x", "said 3")
    assert items() == ["done"] * 3
    assert [arg for name, _, arg in world.effects if name == "model"] == ["1", "2", "3"]
