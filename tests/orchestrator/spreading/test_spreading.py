"""Records that are spread give what they give at home: values, order, errors, calls and their ids, each once."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from types import SimpleNamespace

import attrs
import pytest

from rtfs_framework.api import Ended, InferenceReply, ProviderError
from rtfs_framework.orchestrator.spreading import worker
from rtfs_framework.orchestrator.spreading.told import call_of, call_told

TEXTS = [f"text {number}" for number in range(60)]


def _of(results):
    return [(each.index, each.value, each.error) for each in results]


def _calls(results):
    return [
        (
            call.order,
            call.symbol,
            call.target,
            call.args_digest,
            call.reply_digest,
            call.cost,
            str(call.place),
        )
        for each in results
        for call in each.calls
    ]


def test_what_is_spread_is_what_is_run_at_home(world):
    with world.open() as session:
        spread = world.spread(session, TEXTS)
        found = [*spread]
        with session.load(world.main) as program:
            home = [*session.stream(program, "main", [{"text": text} for text in TEXTS])]
        summary, at_home = spread.summary, program.summary
        spread.close()
    assert _of(found) == _of(home)
    assert found[3].value == "TEXT 3!"
    assert _calls(found) == _calls(home)
    assert world.executor.closed
    for name in ("records", "record_errors", "calls", "by_target", "input_tokens", "output_tokens", "errors"):
        assert getattr(summary, name) == getattr(at_home, name), name
    assert summary.cost == pytest.approx(at_home.cost)


def test_calls_are_in_the_journal_of_who_submits_with_their_ids(world, kit):
    with world.open() as session:
        spread = world.spread(session, TEXTS)
        found = [*spread]
        run = spread.program.run_id
        session.host.journal.commit()
        kept = _replies(kit.journal)
        spread.program.close()
        spread.close()
    rows = [each[1:] for each in _rows(kit.journal, run) if each[0] == "ended"]
    assert sorted(rows) == sorted((call.entry, call.record, call.path) for each in found for call in each.calls)
    assert len(rows) == len(TEXTS)
    assert kept == len(TEXTS), "what they were answered is kept until the run has ended"


def _replies(path):
    with closing(sqlite3.connect(path)) as db:
        return db.execute("SELECT count(*) FROM texts WHERE name = 'reply'").fetchone()[0]


def _rows(path, run):
    with closing(sqlite3.connect(path)) as db:
        (number,) = db.execute("SELECT position FROM log WHERE what = 'run' AND id = ?", (run,)).fetchone()
        return db.execute("SELECT what, entry, record, id FROM log WHERE run = ?", (number,)).fetchall()


def test_errors_stay_with_their_records(world):
    world.answer = lambda request: (
        ProviderError("no", provider="cloud") if "1" in request.args[0] else InferenceReply(text=request.args[0])
    )
    with world.open("[delegation]\non_exhausted = 'error'\n") as session:
        spread = world.spread(session, TEXTS)
        found = [*spread]
        with session.load(world.main) as program:
            home = [*session.stream(program, "main", [{"text": text} for text in TEXTS])]
        spread.close()
    assert _of(found) == _of(home)
    assert [each.error and each.error.data for each in found] == [each.error and each.error.data for each in home]
    assert {each.index for each in found if not each.ok} == {n for n, text in enumerate(TEXTS) if "1" in text}


def test_what_is_lost_is_done_again_and_once_in_the_result(world):
    world.loses = (1, 3)
    with world.open() as session:
        spread = world.spread(session, TEXTS)
        found = [*spread]
        spread.close()
    assert [each.value for each in found] == [f"{text.upper()}!" for text in TEXTS]
    assert spread.summary.calls == len(TEXTS)
    assert len(world.requests) > len(TEXTS), "the lost ones were asked for twice"


def test_a_record_that_brings_workers_down_fails_alone(world):
    def work(piece):
        if b"text 17" in piece:
            raise OSError("its worker has gone")
        return worker.work(piece)

    with world.open() as session:
        spread = world.spread(session, TEXTS)
        spread.executor.work = work
        found = [*spread]
        spread.close()
    assert [each.index for each in found] == list(range(len(TEXTS)))
    (failed,) = [each for each in found if not each.ok]
    assert (failed.index, failed.error.kind) == (17, "NetworkError")
    assert "lost 3 times; the last time it broke: OSError('its worker has gone')" in failed.error.message


def test_records_and_values_that_cannot_travel_fail_alone(world):
    program = '(defn main [record] (let [n (count (get record "text"))] (if (< n 7) (fn [x] n) n)))'
    with world.open() as session:
        spread = world.spread(session, ["short", "x" * (1 << 20), "long enough"], program)
        found = [*spread]
        spread.close()
    assert [each.error and each.error.kind for each in found] == ["InvalidArgument", "InvalidArgument", None]
    assert "1 MiB" in found[1].error.message
    assert found[2].value == 11


def test_an_interruption_keeps_what_is_done(world):
    world.workers = 3
    with world.open() as session:
        spread = world.spread(session, TEXTS)
        first = next(spread)
        ready = len(spread._results)
        spread.interrupt()
        rest = [*spread]
        summary = spread.summary
        spread.close()
    assert first.index == 0
    assert len(rest) == ready > 0
    assert [each.index for each in rest] == sorted(each.index for each in rest)
    assert summary.interrupted
    assert summary.records == 1 + len(rest)


def test_an_interruption_keeps_what_is_done_beside_what_cannot_be_read(world):
    with world.open() as session:
        spread = world.spread(session, TEXTS)
        for _ in range(2):
            spread._hand_out(spread._to_hand_out(2))
        come = [spread.executor.next(0), Ended(index=1, result=b"{")]
        spread.executor.close()
        spread.executor = SimpleNamespace(cancel=lambda: None, next=lambda _: come.pop())
        summary = spread.interrupt()
        rest = [*spread]
    assert come == []
    assert [each.index for each in rest] == [*range(8, 16)]
    assert summary.interrupted


def test_modules_travel_with_the_program(world, kit):
    (kit.home / "a").mkdir()
    (kit.home / "a" / "twice.rtfs").write_text("(module a.twice (:exports [twice]) (defn twice [n] (* 2 n)))")
    program = '(import a.twice)\n(defn main [record] (a.twice/twice (count (get record "text"))))'
    with world.open() as session:
        spread = world.spread(session, ["abc"], program)
        (kit.home / "a" / "twice.rtfs").unlink()
        (found,) = [*spread]
        spread.close()
    assert found.value == 6


def test_a_call_is_told_as_it_was(world):
    world.answer = lambda _: ProviderError("no", provider="cloud")
    with world.open() as session:
        spread = world.spread(session, TEXTS[:1])
        (found,) = [*spread]
        spread.close()
    (call,) = found.calls
    assert call.attempts
    assert call.decision.plan.target == call.attempts[0].attempt.target or call.decision.exhausted
    again = call_of(call_told(call))
    assert attrs.asdict(again) == attrs.asdict(call)


@pytest.mark.parametrize("change", [lambda told: told[:-1], lambda told: [*told, told[-1]]], ids=["fewer", "more"])
def test_a_piece_that_tells_of_other_records_is_lost_and_done_again(world, change):
    pieces = []

    def work(piece):
        pieces.append(piece)
        told = json.loads(worker.work(piece))
        if len(pieces) == 2:
            told["records"] = change(told["records"])
        return json.dumps(told).encode()

    with world.open() as session:
        spread = world.spread(session, TEXTS)
        spread.executor.work = work
        found = [*spread]
        spread.close()
    assert [(each.index, each.value) for each in found] == [(n, f"{text.upper()}!") for n, text in enumerate(TEXTS)]
    assert spread.summary.calls == len(TEXTS)
    assert len(pieces) > len(set(pieces)), "that piece was done again"


def test_a_new_job_stays_open_while_others_are_in_use(world):
    def value(job):
        with world.open() as session:
            spread = world.spread(session, ["a"], f"(def job {job}) {world.main}")
            (found,) = [*spread]
            spread.close()
        return found.value

    assert [value(job) for job in range(worker._MOST)] == ["A!"] * worker._MOST
    busy = [*worker._jobs.values()]
    for each in busy:
        each.users += 1
    assert value("'new") == "A!"
    assert [*worker._jobs.values()] == busy, "the new one is closed when its piece is done, not before"
    for each in busy:
        each.users -= 1
    assert value("'newer") == "A!"
    assert len(worker._jobs) == worker._MOST
