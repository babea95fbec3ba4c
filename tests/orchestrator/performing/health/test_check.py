"""The breaker in a session: what counts against a target, who is turned away, and what the next session knows."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

import anyio
import pytest

from rtfs_framework.api import (
    BadReply,
    FailureKind,
    InferenceReply,
    LocalModel,
    ProviderAuthError,
    ProviderError,
    ProviderTimeout,
    ProviderUnavailable,
    RateLimited,
)
from rtfs_framework.orchestrator.performing.gate import Outcome
from rtfs_framework.orchestrator.performing.health.breaker import Seen, Verdict
from rtfs_framework.orchestrator.performing.health.check import seen_of
from rtfs_framework.testing.clock import FakeClock

PROGRAM = """
(defn ^:delegation :local-model "m" classify "Tell the mood." [text :string] : :string "own body")
(defn main [x] (try (classify x) (catch HostError e (str "caught " (:message e)))))
"""
MODEL = LocalModel("m")
GONE = ProviderUnavailable("m", "gone", failure=FailureKind.SAFE)


class Desk:
    """Sessions over one home and clock; `answer` is what the model says now."""

    def __init__(self, kit, source):
        self.kit, self.source, self.clock = kit, source(PROGRAM), FakeClock()
        self.answer = "fine"
        self.catalog = kit.catalog(kit.provider("m", lambda _: self.answer))

    @property
    def asked(self):
        return len(self.kit.providers["m"].requests)

    def open(self, config=""):
        once = "" if "[delegation]" in config else "[delegation]\nattempts = 1\n"
        return self.kit.open(self.catalog, once + config, clock=self.clock)

    def run(self, times=1, config=""):
        with self.open(config) as session:
            return [session.run(self.source, (f"text {place}",)).value for place in range(times)]


@pytest.fixture
def desk(kit, source):
    return Desk(kit, source)


def test_a_dead_target_is_left_alone_by_this_session_and_the_next(desk):
    desk.answer = GONE
    said = desk.run(8)
    assert desk.asked == 5
    assert "left alone for 30 s more" in said[-1]
    assert "rtfs health reset local-m" in said[-1]
    desk.run(3)
    assert desk.asked == 5
    desk.clock.advance(31.0)
    desk.answer = "fine"
    assert desk.run(20) == ["fine"] * 20
    assert desk.asked == 25


@pytest.mark.parametrize(
    "answer",
    [BadReply("m", "not what was asked for"), ProviderError("m", "refused"), ProviderAuthError("m", "no"), "fine"],
)
def test_answers_that_are_of_no_use_are_no_matter_of_health(desk, answer):
    desk.answer = answer
    desk.run(20)
    assert desk.asked == 20


@pytest.mark.parametrize(
    "answer", [GONE, ProviderTimeout("m", "late"), ProviderUnavailable("m", "500"), RateLimited("m", "no")]
)
def test_failures_of_the_target_are(desk, answer):
    desk.answer = answer
    desk.run(20)
    assert desk.asked == 5


def test_a_wish_to_be_left_alone_is_obeyed_at_once(desk):
    desk.answer = RateLimited("m", "slow down", retry_after=90.0)
    said = desk.run(10)
    assert desk.asked == 1
    assert "it asked for 90 s" in said[-1]


def test_429_for_hours_gets_probes_alone(desk):
    desk.answer = RateLimited("m", "slow down", retry_after=1.0)
    with desk.open() as session:
        for place in range(4 * 3600 // 20):  # a call each twenty seconds for four hours
            session.run(desk.source, (f"text {place}",))
            desk.clock.advance(20.0)
    assert desk.asked <= 4 * 6 + 8  # one in ten minutes, and the first ones


def test_a_call_that_is_given_up_says_nothing(desk):
    async def hang():
        await anyio.sleep(60)

    desk.answer = "fine"
    with desk.open() as session:

        async def give_up():
            desk.kit.providers["m"].answer = lambda _: hang()
            for place in range(8):
                with anyio.move_on_after(0.05):
                    await session.run_async(desk.source, (f"text {place}",))
            while session.host.health.load(MODEL):  # noqa: ASYNC110 - given up, it ends in another thread
                await anyio.sleep(0.01)

        anyio.run(give_up)
        desk.kit.providers["m"].answer = lambda _: "fine"
        assert session.run(desk.source, ("after",)).value == "fine"


def test_settings_of_one_target(desk):
    desk.answer = GONE
    desk.run(4, "[health.targets.local-m]\nminimum_calls = 2\n")
    assert desk.asked == 2
    desk.run(10, '[health.targets.local-m]\nstate = "disabled"\n')
    assert desk.asked == 12
    desk.run(10, '[health.targets.local-m]\nstate = "metrics-only"\n')
    assert desk.asked == 22
    said = desk.run(2, '[health.targets.local-m]\nstate = "forced-open"\n')
    assert desk.asked == 22
    assert "taken out of use" in said[0]


def test_without_sharing_nothing_is_written(desk, kit):
    desk.answer = GONE
    desk.run(8, "[health]\nshared = false\n")
    desk.run(1, "[health]\nshared = false\n")
    assert desk.asked == 6
    assert not (kit.home / "signals.sqlite").exists()


def test_a_ledger_that_cannot_be_used_is_reported_and_bypassed(desk, kit):
    (kit.home / "signals.sqlite").write_bytes(b"no database" * 100)
    desk.answer = GONE
    with desk.open() as session:
        said = [session.run(desk.source, (str(place),)).value for place in range(8)]
        (problem,) = session.problems
    assert desk.asked == 5
    assert "left alone" in said[-1]
    assert problem.code == "E0725"
    assert "signals.sqlite" in problem.message


def test_another_server_of_the_same_name_is_not_blamed(desk):
    desk.answer = GONE
    desk.run(8)
    desk.answer = "fine"
    assert desk.run(1, '[delegation.local_models.m]\nprovider = "m"\ntimeout = "9s"\n') == ["fine"]


def test_changes_are_rows_of_the_journal(desk, kit):
    desk.answer = GONE
    desk.run(8)
    with closing(sqlite3.connect(kit.journal)) as db, db:
        rows = [json.loads(body) for (body,) in db.execute("select body from log where what = 'signal'")]
    assert [(row["signal"], row["of"], row["value"]) for row in rows] == [("health", "local-model m", "open")]


@pytest.mark.parametrize(
    ("outcome", "seen"),
    [
        (Outcome(), Seen(Verdict.GOOD)),
        (Outcome(seconds=3.0), Seen(Verdict.GOOD, slow=True)),
        (Outcome(failure=FailureKind.SAFE, sent=False, retry_after=2.0), Seen(Verdict.BAD, retry_after=2.0)),
        (Outcome(failure=FailureKind.UNCERTAIN, seconds=3.0), Seen(Verdict.BAD, slow=True)),
        (Outcome(failure=FailureKind.HERE), Seen(Verdict.GOOD)),
        (Outcome(failure=FailureKind.REPLY), Seen(Verdict.GOOD)),
        (Outcome(failure=FailureKind.LOW_CONFIDENCE), Seen(Verdict.GOOD)),
        (Outcome(failure=FailureKind.FINAL, seconds=3.0), Seen(Verdict.SILENT, slow=True)),
        (Outcome(failure=FailureKind.FINAL), Seen(Verdict.SILENT)),
        (Outcome(failure=FailureKind.REFUSED, sent=False), Seen(Verdict.SILENT)),
        (Outcome(sent=False, seconds=9.0), Seen(Verdict.SILENT)),
    ],
)
def test_what_an_outcome_says_of_health(outcome, seen):
    assert seen_of(outcome, slow=2.0) == seen


def test_latency_is_of_answers(desk):
    def answer(_):
        desk.clock.advance(2.0)
        return InferenceReply(text="fine", model="m")

    desk.kit.providers["m"].answer = answer
    with desk.open() as session:
        [session.run(desk.source, (str(place),)) for place in range(6)]
        board = session.host.health
        assert 1.7 < board.latency(MODEL).p50 < 2.4
