"""What follows a failed attempt is a decision, too: it is written down, proved, and made again with its draws."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import closing

import pytest

from rtfs_framework.api import (
    DelegationPlan,
    FailureKind,
    LocalModel,
    LocalPure,
    PlanSource,
    ProviderTimeout,
    ProviderUnavailable,
)
from rtfs_framework.orchestrator.explaining.replaying.replay import Repeated, replay
from rtfs_framework.orchestrator.recording.journal.history import UNENDED, history_of
from rtfs_framework.orchestrator.recording.journal.verify import verify
from rtfs_framework.orchestrator.recording.journal.why import why
from rtfs_framework.testing import FakeClock

PROGRAM = '(defn label [x :string] :string (str "own " x)) (label "hi")'
ROUTE = '[delegation]\nattempts = 6\n[delegation.static_routes]\nlabel = ["local-a", "local-b"]\n'
REFUSED = ProviderUnavailable("a", "refused", failure=FailureKind.SAFE)
LATE = ProviderTimeout("a", "late")


class Engine:
    """Goes by what was tried and by a draw."""

    def __init__(self, last="b"):
        self.last = last
        self.drawn = []

    def claims(self):
        return ("label",)

    def decide(self, context):
        order, tried = ["a", self.last], len(context.attempts)
        self.drawn.append((tried, context.draw("which")))
        target = LocalModel(order[tried]) if tried < len(order) else LocalPure()
        delay = context.draw("pause") if tried else 0.0
        return DelegationPlan(target=target, reasoning=f"number {tried}", source=PlanSource.ENGINE, delay=delay)


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def desk(kit, source, monkeypatch, clock):
    async def pause(seconds):
        clock.advance(seconds)
        await asyncio.sleep(0)

    monkeypatch.setattr("rtfs_framework.orchestrator.performing.dispatch.pause", pause)

    def opened(config, engine=None, **scripts):
        def answering(script):
            found = iter(script)
            return lambda _: next(found)

        names = {"a": (), "b": (), **scripts}
        providers = [kit.provider(name, answering(script)) for name, script in names.items()]
        return kit.open(kit.catalog(*providers, engine=engine, l1=True), config, clock=clock)

    class Desk:
        def record(self, config, **scripts):
            with opened(config, **scripts) as session:
                return session.run(source(PROGRAM)).run_id

        def again(self, config, run, engine=None):
            with opened(config, engine) as session, history_of(kit.journal, kit.home) as history:
                return list(replay(session.host, history, run))

        def why(self, run):
            with history_of(kit.journal, kit.home) as history:
                return why(history, run, "0:0")

        journal, home = kit.journal, kit.home

    return Desk()


def told(found):
    """Return what came of each, without delays."""
    return [
        (each.number, *(text.partition(" after")[0] for text in (each.then, each.now)), each.result) for each in found
    ]


def test_the_next_of_a_list_repeats_and_the_end_are_decided_again(desk):
    run = desk.record(ROUTE, a=[REFUSED, REFUSED, REFUSED], b=[LATE])
    found = desk.again(ROUTE, run)
    assert {each.result for each in found} == {Repeated.SAME}
    assert [each.then for each in found][:2] == ["local-model a", "local-model b"]
    assert found[-1].then == "local-pure", "nothing was left"
    assert len(found) >= 3


def test_another_list_differs_after_the_attempt_where_it_does(desk):
    run = desk.record(ROUTE, a=[LATE], b=["yes"])
    found = desk.again(ROUTE.replace('"local-a", "local-b"', '"local-a"'), run)
    assert told(found) == [
        (0, "local-model a", "local-model a", Repeated.SAME),
        (1, "local-model b", "local-pure", Repeated.DIFFERS),
    ]


def test_draws_and_attempts_are_read_again_by_an_engine(desk):
    first, second = Engine(), Engine()
    run = desk.record("", engine=first, a=[REFUSED], b=["yes"])
    assert {each.result for each in desk.again("", run, second)} == {Repeated.SAME}
    assert second.drawn == first.drawn
    assert len({drawn for _, drawn in first.drawn}) == 2, "an attempt draws anew"
    assert told(desk.again("", run, Engine(last="a")))[1] == (1, "local-model b", "local-model a", Repeated.DIFFERS)


def test_why_tells_each_attempt_with_its_decision(desk):
    run = desk.record(ROUTE, a=[LATE], b=["yes"])
    found = desk.why(run)
    (attempt,) = found["attempts"]
    assert (attempt["target"], attempt["kind"]) == ("local-model a", "uncertain")
    assert [each["target"] for each in found["decisions"]] == ["local-model a", "local-model b"]
    assert found["exhausted"] == ""


def test_what_nothing_was_left_for_is_told(desk):
    assert desk.why(desk.record(ROUTE, a=[LATE], b=[LATE]))["exhausted"] == "body"


def test_a_changed_decision_of_an_attempt_is_found(desk):
    run = desk.record(ROUTE, a=[LATE], b=["yes"])
    assert verify(desk.journal, run, desk.home).ok
    with closing(sqlite3.connect(desk.journal)) as connection:
        (body,) = connection.execute("SELECT body FROM log WHERE what = 'ended'").fetchone()
        (attempt,) = json.loads(body)["attempts"]
        connection.execute("DROP TRIGGER plans_no_update")
        connection.execute("UPDATE plans SET body = '{}' WHERE digest = ?", (attempt["decision"],))
        connection.commit()
    assert "the decision of row" in verify(desk.journal, run, desk.home).reason


def test_a_call_that_never_ended_does_not_tell_what_was_tried(desk):
    run = desk.record(ROUTE, a=[LATE], b=["yes"])
    with closing(sqlite3.connect(desk.journal)) as connection:
        connection.execute("DROP TRIGGER log_no_update")
        connection.execute(
            "UPDATE log SET what = 'begun', body = replace(body, '\"attempts\":[', '\"attempt\":1,\"gone\":[')"
            " WHERE what = 'ended'"
        )
        connection.commit()
    (found,) = desk.again(ROUTE, run)
    assert (found.result, found.because) == (Repeated.UNKNOWN, UNENDED)
