"""`rtfs run --queued`, `rtfs worker`, `rtfs queue`, `rtfs tickets`: ordered, done, looked at, cancelled, retried."""

from __future__ import annotations

import json
import signal
import time
from contextlib import closing

import pytest

from rtfs_framework.api import CapabilityEntry, Later, QueueItem, QueueSettings
from rtfs_framework.lang.printer import write
from rtfs_framework.lang.source import Source
from rtfs_framework.orchestrator.concurrency.clock import SystemClock
from rtfs_framework.orchestrator.recording.purse import RunParked
from rtfs_framework.orchestrator.running.resuming import Resuming
from rtfs_framework.orchestrator.session import Session
from rtfs_framework.registry.catalog import Catalog
from rtfs_framework.registry.problems import Provenance

pytestmark = pytest.mark.needs("rtfs-queue-sqlite")


@pytest.fixture
def queue(folder):
    from rtfs_queue_sqlite.plugin import rtfs_queues

    (entry,) = rtfs_queues()
    with closing(entry.factory(QueueSettings(clock=SystemClock(), directory=str(folder / "home")))) as made:
        yield made


def ordered(rtfs, *args):
    result = rtfs("run", "--queued", *args, "--json")
    assert result.code == 0, result.err
    return result.data["id"]


def test_a_run_is_ordered_done_and_shown(rtfs):
    run = ordered(rtfs, "hello.rtfs", "World")
    listed = rtfs("queue", "list")
    assert listed.lines[0].startswith(run)
    assert "queued" in listed.lines[0]
    worked = rtfs("worker", "--until-empty", "--json")
    assert (worked.code, worked.data) == (0, {"what": "done", "id": run, "why": ""})
    shown = rtfs("queue", "show", run[:6])
    assert '  value: "Hi World"' in shown.lines
    told = rtfs("queue", "show", run, "--json").data
    assert (told["state"], told["result"]["text"], told["result"]["run"]) == ("done", '"Hi World"', run)
    assert rtfs("queue", "count").lines == [
        f"{'runs':<10} {'-':<20} {'done':<10} {1:>12} {told['size']:>16} bytes",
    ]


@pytest.mark.needs("rtfs-provider-openai")
def test_a_key_that_is_set_is_no_word_about_the_programs_of_others(rtfs, folder, monkeypatch):
    """A tool sends described functions to whose key is set; what others have ordered goes where somebody said."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-1")
    text = '(defn mood "The mood of a text." [t : :string] : :string "own") (defn main [t] (mood t))'
    (folder / "described.rtfs").write_text(text, encoding="utf-8")
    assert "remote openai" in rtfs("explain", "described.rtfs").out
    run = ordered(rtfs, "described.rtfs", "x")
    assert rtfs("worker", "--until-empty").code == 0
    assert rtfs("queue", "show", run, "--json").data["result"]["text"] == '"own"'


def test_the_same_key_is_ordered_once(rtfs):
    first = ordered(rtfs, "hello.rtfs", "a", "--key", "nightly")
    assert rtfs("run", "--queued", "hello.rtfs", "b", "--key", "nightly", "--json").data == {"id": first, "new": False}


def test_mistakes_are_found_before_anything_is_ordered(rtfs, folder):
    (folder / "bad.rtfs").write_text("(defn main [] (nothing))", encoding="utf-8")
    for args, words in (
        (("hello.rtfs",), "main takes 1 argument"),
        (("bad.rtfs",), "nothing"),
        (("pure.rtfs", "--input", "x.csv"), "--queued and --input exclude each other"),
        (("hello.rtfs", "a", "--estimate"), "--queued and --estimate exclude each other"),
        (("hello.rtfs", "a", "--park"), "--queued and --park exclude each other"),
        (("hello.rtfs", "a", "--no-journal"), "--queued and --no-journal exclude each other"),
        (("hello.rtfs", "a", "--timeout", "2"), "--queued and --timeout exclude each other"),
        (("hello.rtfs", "a", "--max-nesting", "9"), "--queued and --max-nesting exclude each other"),
        (("hello.rtfs", "a", "--agent", "ann"), "--queued and --agent exclude each other"),
        (("hello.rtfs", "a", "--constraint", "latency=low"), "--queued and --constraint exclude each other"),
        (("hello.rtfs", "a", "--key", "k" * 300), "error[E0927]: the run cannot be ordered: the key of an item"),
    ):
        result = rtfs("run", "--queued", *args)
        assert result.code != 0
        assert words in result.err
    refused = rtfs("run", "hello.rtfs", "a", "--key", "k")
    assert (refused.code, "need --queued" in refused.err) == (2, True)
    assert rtfs("queue", "list", "--json").data == {"items": []}


def test_runs_are_cancelled_and_retried(rtfs):
    run = ordered(rtfs, "hello.rtfs", "World")
    assert rtfs("queue", "cancel", run[:8]).out == f"{run}: cancelled\n"
    assert rtfs("queue", "cancel", run).out == f"{run}: cancelled, as it was\n"
    rtfs("worker", "--until-empty")
    assert rtfs("queue", "retry", run, "--json").data == {"id": run, "before": "cancelled", "state": "queued"}
    rtfs("worker", "--until-empty")
    assert rtfs("queue", "show", run, "--json").data["state"] == "done"


def test_a_failed_run_says_why(rtfs, folder):
    (folder / "fails.rtfs").write_text('(defn main [] (throw {:kind :Oh :message "no luck"}))', encoding="utf-8")
    run = ordered(rtfs, "fails.rtfs")
    assert "dead" in rtfs("worker", "--until-empty").out
    assert "no luck" in rtfs("queue", "list", "--state", "dead").out
    assert [each["id"] for each in rtfs("queue", "list", "--state", "dead", "--json").data["items"]] == [run]


def test_tickets_are_those_of_their_topic(rtfs, queue):
    for id_, symbol, tenant in (("r1/0.1", "f", "acme"), ("r1/0.2", "g", ""), ("r2/0.1", "f", "")):
        payload = json.dumps({"symbol": symbol}).encode()
        queue.put(QueueItem(id=id_, topic="tickets", payload=payload, tenant=tenant))
    queue.put(QueueItem(id="other", topic="runs", payload=b"{}"))

    def listed(*options):
        return [each["id"] for each in rtfs("tickets", "list", "--json", *options).data["items"]]

    assert listed() == ["r1/0.1", "r1/0.2", "r2/0.1"]
    assert listed("--symbol", "f") == ["r1/0.1", "r2/0.1"]
    assert listed("--of-tenant", "acme") == ["r1/0.1"]
    assert listed("--since", "1h", "--limit", "1") == ["r1/0.1"]
    assert listed("--until", "1h") == []
    assert rtfs("tickets", "cancel", "r2").out == "r2/0.1: cancelled\n"
    assert listed("--state", "cancelled") == ["r2/0.1"]
    assert rtfs("tickets", "show", "r1/0.2", "--json").data["payload"] == {"symbol": "g"}
    assert {each["topic"] for each in rtfs("tickets", "count", "--json").data["counts"]} == {"tickets"}


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (("queue", "show", "zz"), 1, ("E0926", "no item begins with 'zz'", "rtfs queue list")),
        (("tickets", "cancel", "zz"), 1, ("E0926", "rtfs tickets list")),
        (("queue", "list", "--queue", "nothing"), 1, ("no queue is called 'nothing'",)),
        (("worker", "--topics", "runs,what"), 2, ("E0910", "nothing does the topic 'what'", "topics: runs")),
        (("worker", "--concurrency", "0"), 2, ("concurrency",)),
    ],
    ids=["item", "ticket", "queue", "topic", "concurrency"],
)
def test_what_cannot_be_is_told(rtfs, args, code, words):
    result = rtfs(*args)
    assert result.code == code
    for word in words:
        assert word in result.err


def test_more_than_one_begins_so(rtfs, queue):
    for id_ in ("ab1", "ab2"):
        queue.put(QueueItem(id=id_, topic="runs", payload=b""))
    assert "more than one item begins with 'ab'" in rtfs("queue", "show", "ab").err


def test_a_full_queue_and_a_broken_one_are_told(rtfs, folder):
    (folder / "delegation.toml").write_text("[queue]\nmost_items = 1\n", encoding="utf-8")
    rtfs("run", "--trust", "--queued", "hello.rtfs", "a", "--config", "delegation.toml")
    full = rtfs("run", "--queued", "hello.rtfs", "b", "--config", "delegation.toml")
    assert (full.code, "E0618" in full.err, "holds at most 1 items" in full.err) == (1, True, True)
    (folder / "home" / "queue.sqlite").write_bytes(b"not a database at all" * 100)
    broken = rtfs("queue", "list")
    assert (broken.code, "E0617" in broken.err) == (1, True)


def test_the_queue_is_that_of_the_program_s_own_configuration(rtfs, folder):
    own = folder / "own"
    own.mkdir()
    (own / "hello.rtfs").write_text((folder / "hello.rtfs").read_text(encoding="utf-8"), encoding="utf-8")
    (own / "delegation.toml").write_text("[queue]\nmost_items = 1\n", encoding="utf-8")
    assert rtfs("run", "--trust", "--queued", "own/hello.rtfs", "a").code == 0
    assert "E0618" in rtfs("run", "--trust", "--queued", "own/hello.rtfs", "b").err


def test_a_worker_that_is_told_to_end_ends_in_order(rtfs, process, queue):
    """What it has done is done, and what comes after waits for others."""
    run = ordered(rtfs, "hello.rtfs", "World")
    worker = process("worker", "--concurrency", "1")
    _until(lambda: queue.get(run).state == "done")
    assert f":{worker.pid}:" in queue.get(run).worker
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(30) == 0
    later = ordered(rtfs, "hello.rtfs", "Moon")
    assert queue.get(later).state == "queued"


def _until(holds):
    for _ in range(6000):
        if holds():
            return
        time.sleep(0.01)
    raise AssertionError("it came to a stand")


def test_a_call_that_waits_for_a_job_is_answered(rtfs, folder):
    """By its run's beginning, or by its id; nothing else is."""
    begun = []

    def submit(request):
        begun.append(request.key)
        return Later(id=f"job {request.args[0]}")

    entry = CapabilityEntry(id="batch.run", summary="Does it tonight.", handler=submit)
    catalog = Catalog(capabilities={entry.id: (entry, Provenance("batches", "1", "batches"))})
    environ = {"RTFS_HOME": str(folder / "home"), "RTFS_SECURITY__GRANT": '["batch.run"]'}
    text = '(defn main [] (await-all [(ticket (call :batch.run "a")) (ticket (call :batch.run "b"))]))'
    with Session.open(catalog=catalog, environ=environ) as session:
        session.park()
        with pytest.raises(RunParked) as parked:
            session.run(Source("night.rtfs", text), entry="main")
    run = parked.value.run
    listed = rtfs("runs", "list")
    assert "waits for :answer-1-0 (job job a of capability batch.run)" in listed.out
    for args in (("answer", run[:6], "1"), ("answer", f"{run}/1:7", "1")):
        assert "E0926" in rtfs("tickets", *args).err
    assert rtfs("tickets", "answer", f"{run[:6]}/1:1", '{"total": 7}').lines == [f"{run}/1:1: answered"]
    assert rtfs("tickets", "answer", f"{run}/1:0", "paid", "--json").data == {"id": f"{run}/1:0", "job": "job a"}
    with Session.open(catalog=catalog, environ=environ) as session:
        assert write(session.resume(Resuming(run=run)).value) == '["paid" {"total" 7}]'
    assert len(begun) == 2
    assert "E0926" in rtfs("tickets", "answer", run, "1").err


@pytest.fixture
def lined_up(folder):
    """Return a function that begins, or goes on with, a run of twelve jobs, one after the other; it gives its id."""
    entry = CapabilityEntry(id="batch.run", summary="Does it tonight.", handler=lambda _: Later(id="job"))
    catalog = Catalog(capabilities={entry.id: (entry, Provenance("batches", "1", "batches"))})
    environ = {"RTFS_HOME": str(folder / "home"), "RTFS_SECURITY__GRANT": '["batch.run"]'}
    text = "(defn main [] (loop [i 0] (if (< i 12) (do (call :batch.run i) (recur (inc i))) i)))"

    def go(run=None):
        with Session.open(catalog=catalog, environ=environ) as session:
            session.park()
            with pytest.raises(RunParked) as parked:
                session.run(Source("n.rtfs", text), entry="main") if run is None else session.resume(Resuming(run=run))
        return parked.value.run

    return go


def test_a_late_answer_to_a_call_is_none_to_another_whose_id_begins_so(rtfs, lined_up):
    """The answer of 1:1 comes once more while 1:10 waits."""
    run = lined_up()
    for i in range(10):
        rtfs("runs", "signal", run, f"answer-1-{i}", "1")
    lined_up(run)
    again = rtfs("tickets", "answer", f"{run}/1:1", "again")
    assert (again.code, "E0926" in again.err, "call 1:1 of run" in again.err) == (1, True, True)
    assert "has its answer already" in again.err
    assert "waits for no answer from outside" in rtfs("tickets", "answer", f"{run}/1:", "x").err
    assert rtfs("tickets", "answer", run, "10").lines == [f"{run}/1:10: answered"]


def test_a_second_answer_is_refused_while_the_first_one_is_there(rtfs, lined_up):
    run = lined_up()
    assert rtfs("tickets", "answer", f"{run}/1:0", "first").code == 0
    second = rtfs("tickets", "answer", f"{run}/1:0", "second")
    assert (second.code, "call 1:0 of run" in second.err, "has its answer already" in second.err) == (1, True, True)
    assert "any more" in rtfs("tickets", "answer", run, "second").err


def test_what_is_due_elsewhere_is_left_as_it_is(rtfs, lined_up):
    """The commands know no capability batch.run: the run waits on, with its answer."""
    run = lined_up()
    rtfs("tickets", "answer", run, "1")
    due = rtfs("runs", "resume", "--due")
    assert (due.code, f"run {run[:12]} waits with call 1:0 for job job" in due.err) == (0, True)
    assert "E0729" in rtfs("runs", "resume", run).err
    assert rtfs("runs", "list", "--json").data["runs"][0]["status"] == "waiting"


@pytest.mark.parametrize("command", ["show", "cancel", "retry"])
def test_the_call_of_an_item_is_taken_whole(rtfs, queue, command):
    queue.put(QueueItem(id="r1/1:10", topic="tickets", payload=b"{}"))
    assert "E0926" in rtfs("tickets", command, "r1/1:1").err
    assert queue.get("r1/1:10").state == "queued"
    assert rtfs("tickets", "show", "r1/").code == 0
