"""Runs that are kept no longer: gone whole, with a proof that stays; and nobody else can make rows vanish."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

import pytest

from rtfs_framework.api import DelegationPlan, LocalModel, PlanSource
from rtfs_framework.orchestrator.recording.floating import CallLabel
from rtfs_framework.orchestrator.recording.journal import query, retention
from rtfs_framework.orchestrator.recording.journal.fault import JournalError
from rtfs_framework.orchestrator.recording.journal.retention import Retention, cut, due
from rtfs_framework.orchestrator.recording.journal.verify import head_of, holds
from rtfs_framework.orchestrator.recording.records import Decision
from rtfs_framework.testing import FakeClock

DAY = 86_400.0
OLD, NEW = 100 * DAY, 200 * DAY
"""When the runs of a test were; it is day 210 when somebody looks."""
NOW = 210 * DAY
AGED = Retention(seconds=90 * DAY)


def written(desk, *runs):
    """Write runs (name, time, status) one after the other; return the head after each."""
    heads = {}
    for name, when, status in runs:
        desk.run(name, 3, status, clock=FakeClock(when), keep_args=True)
        heads[name] = head_of(desk.path, desk.home)
    return heads


def remove(desk, rule=AGED, most=None):
    with closing(desk.journal(clock=FakeClock(NOW))) as journal:
        runs = due(desk.path, rule, NOW)
        for done, _ in enumerate(cut(journal, runs), 1):
            if done == most:
                break
    return [each.run for each in runs]


def listed(desk):
    return [row.id for row in reversed(query.list_runs(desk.path))]


@pytest.fixture
def heads():
    return {}


@pytest.fixture
def full(desk, heads):
    """Five runs: two old ones that have ended, one that waits, one without an end, and a new one."""
    old = [("a", OLD, "complete"), ("b", OLD, "waiting"), ("c", OLD, "failed"), ("d", OLD, None)]
    heads.update(written(desk, *old, ("e", NEW, "complete")))
    return desk


def test_what_is_old_and_has_ended_goes_with_all_its_rows_and_texts(full):
    before = full.rows("SELECT count(*) FROM log")[0][0]
    assert remove(full) == ["a", "c"]
    assert listed(full) == ["b", "d", "e"]
    assert full.rows("SELECT count(*) FROM log")[0][0] < before
    assert full.rows("SELECT count(*) FROM texts WHERE position NOT IN (SELECT position FROM log)") == [(0,)]
    verdict = full.verify_all()
    assert (verdict.ok, verdict.problems, verdict.runs) == (True, (), 3)
    assert any("2 runs were removed on purpose, 10 rows" in note for note in verdict.notes)
    assert [full.verify(run).ok for run in ("b", "d", "e")] == [True, True, True]
    assert remove(full) == []


def test_heads_of_before_still_hold_and_others_do_not(full, heads):
    remove(full)
    for head in heads.values():
        assert full.verify_all(head).ok
        assert holds(full.path, head)
        other = type(head)(head.position, bytes(32))
        assert not full.verify_all(other).ok
        assert not holds(full.path, other)


def test_it_is_written_to_as_before_by_those_who_had_it_open(desk):
    with closing(desk.journal(keep_args=True, clock=FakeClock(OLD))) as journal:
        decision = Decision(DelegationPlan(target=LocalModel("m"), reasoning="once", source=PlanSource.HINT), (), "")
        for name in ("a", "b"):
            if name == "b":
                assert remove(desk) == ["a"]
                assert desk.rows("SELECT count(*) FROM plans") == [(0,)]
            chain = journal.begin(name, "digest", "a.rtfs", "policy", "0.1")
            chain.add(desk.record(0, decision=decision))
            chain.end("complete")
            journal.commit()
    assert desk.rows("SELECT count(*) FROM plans") == [(1,)]
    verdict = desk.verify_all()
    assert (verdict.problems, listed(desk)) == ((), ["b"])


def test_cut_again_and_again_stumps_grow_together(desk):
    for number in range(6):
        written(desk, (f"run-{number}", (100 + number) * DAY, "complete"))
    for number in range(6):
        rule = Retention(seconds=NOW - (100 + number) * DAY - 1)
        assert remove(desk, rule) == [f"run-{number}"]
        assert desk.verify_all().problems == ()
    stumps = desk.rows("SELECT body FROM log WHERE what = 'stump'")
    assert len(stumps) == 1
    assert json.loads(stumps[0][0])["first"] == 2


def test_somebody_who_stops_it_leaves_whole_runs(full, monkeypatch):
    monkeypatch.setattr(retention, "BATCH", 1)
    remove(full, most=1)
    assert listed(full) == ["b", "c", "d", "e"]
    assert full.verify_all().ok
    assert remove(full) == ["c"]
    assert full.verify_all().ok


@pytest.mark.parametrize("field", ["first", "parent", "marks", "proof"])
def test_a_stump_that_was_changed_is_found(full, field):
    remove(full)
    position, body = full.rows("SELECT position, body FROM log WHERE what = 'stump' ORDER BY position")[0]
    told = json.loads(body)
    told[field] = {"first": told["first"] - 1, "marks": "AAAA" + str(told["marks"])[4:]}.get(field, "00" * 32)
    full.sql(("UPDATE log SET body = ? WHERE position = ?", (json.dumps(told), position)))
    verdict = full.verify_all()
    assert any("what stands for the rows cut" in problem for problem in verdict.problems)


def test_nobody_without_the_key_makes_rows_vanish(full):
    """A stump of another place, of an older copy or without a proof stands for nothing."""
    remove(full)
    stump = full.rows("SELECT body, hash FROM log WHERE what = 'stump'")[0]
    first, last = full.rows("SELECT min(position), max(position) FROM log WHERE run IN "
                            "(SELECT position FROM log WHERE id = 'b' AND what = 'run')")[0]  # fmt: skip
    told = {**json.loads(stump[0]), "first": first}
    full.sql(
        ("DELETE FROM log WHERE position BETWEEN ? AND ?", (first, last)),
        ("INSERT INTO log VALUES (?, NULL, 'stump', NULL, NULL, '', ?, ?)", (last, json.dumps(told), stump[1])),
        ("DELETE FROM texts WHERE position BETWEEN ? AND ?", (first, last)),
    )
    assert not full.verify_all().ok
    full.sql("DELETE FROM log WHERE what = 'stump'")
    assert not full.verify_all().ok


def test_a_changed_row_is_not_made_to_vanish(full):
    full.sql("UPDATE log SET body = replace(body, '\"micros\":250000', '\"micros\":250001') WHERE position < 8")
    with pytest.raises(JournalError, match="was changed, so nothing is removed"):
        remove(full)
    assert listed(full) == ["a", "b", "c", "d", "e"]


def test_triggers_are_back(full):
    remove(full)
    with closing(sqlite3.connect(full.path)) as connection:
        for table in ("log", "plans"):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                connection.execute(f"DELETE FROM {table}")


def test_the_oldest_go_where_the_file_is_too_large(desk):
    for number in range(8):
        written(desk, (f"run-{number}", (100 + number) * DAY, "complete"))
    assert due(desk.path, Retention(most_bytes=1 << 30), NOW) == []
    some = due(desk.path, Retention(most_bytes=desk.path.stat().st_size - 4_000), NOW)
    assert [each.run for each in some] == [f"run-{number}" for number in range(len(some))]
    assert 0 < len(some) < 8
    assert {each.why for each in some} == {"size"}
    assert len(due(desk.path, Retention(most_bytes=0), NOW)) == 8


def test_a_mark_may_be_kept_for_less_long(desk):
    with closing(desk.journal(clock=FakeClock(NEW))) as journal:
        for name, marks in (("plain", ()), ("marked", ("pii",))):
            chain = journal.begin(name, "digest", "a.rtfs", "policy", "0.1")
            chain.add(desk.record(0, labelled=CallLabel(frozenset(marks)) if marks else None))
            chain.end("complete")
    (one,) = due(desk.path, Retention(marks={"pii": 5 * DAY}), NOW)
    assert (one.run, one.why) == ("marked", "pii")
    assert due(desk.path, Retention(marks={"pii": 11 * DAY}), NOW) == []
