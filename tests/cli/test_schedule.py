"""`rtfs schedule`: each time is ordered once, whoever dies meanwhile."""

from __future__ import annotations

from datetime import datetime, timezone
from itertools import islice

import pytest

from rtfs_framework.orchestrator.working.schedules import Schedule, ScheduleError, ScheduleStore
from rtfs_framework.testing.clock import FakeClock

pytest.importorskip("cronsim")
MONDAY = 1_763_942_400.0
"""2025-11-24 00:00 UTC."""


@pytest.fixture
def clock():
    return FakeClock(MONDAY)


@pytest.fixture
def store(tmp_path, clock):
    return ScheduleStore(tmp_path / "own", clock)


def made(**more):
    return Schedule(**{"id": "", "cron": "0 7 * * 1-5", "zone": "UTC", "file": "f.rtfs", **more})


def test_the_latest_time_alone_is_due_and_each_once(store, clock):
    added = store.add(made(args=("a", "b")))
    assert added.due(clock.now()) is None
    clock.advance(7 * 3600)
    assert added.due(clock.now()) == (MONDAY + 7 * 3600, 0)
    clock.advance(2 * 86_400)
    assert added.due(clock.now()) == (MONDAY + 2 * 86_400 + 7 * 3600, 2), "two were passed over"
    store.done(added, clock.now())
    (kept,) = store.listed()
    assert (kept.due(clock.now()), kept.args) == (None, ("a", "b"))
    store.done(kept, 0.0)
    assert store.listed() == [kept], "it never goes back"


def test_an_hour_that_is_skipped_is_told_by_the_zone_s_own_clock():
    spring = made(cron="30 2 * * *", zone="Europe/Berlin")
    times = list(islice(spring.times(1_774_652_400.0), 3))  # from 2026-03-28 00:00 in Berlin
    told = [datetime.fromtimestamp(each, timezone.utc).strftime("%d %H:%M") for each in times]
    assert told == ["28 01:30", "29 01:00", "30 00:30"], "the hour from 2 to 3 is not there on the 29th"


@pytest.mark.parametrize(
    "wrong",
    [{"cron": "every day"}, {"cron": "61 * * * *"}, {"cron": ""}, {"zone": "Nowhere/There"}, {"zone": "../etc"}],
)
def test_what_is_no_schedule_is_refused_when_it_is_added(store, wrong):
    with pytest.raises(ScheduleError, match="help: "):
        store.add(made(**wrong))
    assert store.listed() == []


def test_who_is_named_must_be_there(store):
    with pytest.raises(ScheduleError, match="no schedule has the id"):
        store.remove("zz")


@pytest.mark.needs("rtfs-queue-sqlite")
def test_added_listed_ordered_done_and_removed(rtfs, folder, monkeypatch) -> None:
    (folder / "hi.rtfs").write_text('(defn main [who] (do (checkpoint :seen) (str "hi " who)))')
    added = rtfs("schedule", "add", "* * * * *", "hi.rtfs", "Ann", "--json")
    assert added.code == 0, added.err
    id_ = added.data["id"]
    assert rtfs("schedule", "list", "--json").data["schedules"][0]["next"] > 0
    assert rtfs("schedule", "run", "--once").out == ""
    clock = FakeClock(added.data["last"] + 200.0)
    monkeypatch.setattr("rtfs_framework.orchestrator.concurrency.clock.SystemClock.now", lambda _: clock.now())
    kept = ScheduleStore.done
    monkeypatch.setattr(ScheduleStore, "done", lambda *_: None)  # it dies right after the order
    first = rtfs("schedule", "run", "--once", "--json").records
    monkeypatch.setattr(ScheduleStore, "done", kept)
    again = rtfs("schedule", "run", "--once", "--json").records
    assert [each["run"] for each in first] == [each["run"] for each in again], "ordered once"
    assert rtfs("schedule", "run", "--once").out == ""
    assert rtfs("worker", "--until-empty").code == 0
    assert rtfs("runs", "list", "--json").data["runs"][0]["status"] == "complete"
    assert f"asked by item {first[0]['run']} of the queue" in rtfs("runs", "show", "last").out
    assert rtfs("schedule", "remove", id_[:4]).out == f"{id_}: removed\n"
    assert rtfs("schedule", "list").out == "no schedules\n"


@pytest.fixture
def due(rtfs, folder, monkeypatch):
    """A schedule that is due, of a program that is fine."""
    (folder / "hi.rtfs").write_text("(defn main [] 1)", encoding="utf-8")
    (folder / "delegation.toml").write_text("[queue]\nmost_items = 1\n", encoding="utf-8")
    options = ("--config", "delegation.toml", "--trust", "--json")
    added = rtfs("schedule", "add", "* * * * *", "hi.rtfs", *options)
    assert added.code == 0, added.err
    clock = FakeClock(added.data["last"] + 200.0)
    monkeypatch.setattr("rtfs_framework.orchestrator.concurrency.clock.SystemClock.now", lambda _: clock.now())
    return added.data["id"]


@pytest.mark.needs("rtfs-queue-sqlite")
def test_a_time_is_not_lost_while_the_queue_is_full(rtfs, due) -> None:
    taken = rtfs("run", "--queued", "hi.rtfs", "--config", "delegation.toml", "--json").data["id"]
    full = rtfs("schedule", "run", "--once")
    assert (full.out, "not ordered yet" in full.err, "E0618" in full.err) == ("", True, True)
    assert rtfs("queue", "cancel", taken).code == 0
    (ordered,) = rtfs("schedule", "run", "--once", "--json").records
    assert ordered["schedule"] == due
    assert rtfs("schedule", "run", "--once").out == ""


@pytest.mark.needs("rtfs-queue-sqlite")
@pytest.mark.parametrize(("text", "words"), [("(nothing)", "nothing"), (None, "no such")], ids=["refused", "gone"])
def test_a_program_that_is_refused_or_gone_loses_its_time(rtfs, folder, due, text, words) -> None:
    program = folder / "hi.rtfs"
    program.unlink() if text is None else program.write_text(text, encoding="utf-8")
    refused = rtfs("schedule", "run", "--once")
    assert (refused.out, words in refused.err) == ("", True), refused.err
    program.write_text("(defn main [] 1)", encoding="utf-8")
    again = rtfs("schedule", "run", "--once")
    assert (again.out, again.err) == ("", "")
