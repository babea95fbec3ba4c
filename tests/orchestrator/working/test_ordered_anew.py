"""A run of the queue is done once for each order: whoever leases it, fails, parks, resumes or cancels it meanwhile."""

from __future__ import annotations

from rtfs_framework.api import InferenceReply, QueueError
from rtfs_framework.orchestrator.recording.journal.outside import ended, tell
from rtfs_framework.orchestrator.recording.journal.waiting import due_runs
from rtfs_framework.orchestrator.running.resuming import Resuming
from rtfs_framework.orchestrator.working.jobs import result_of

ASKS = '(defn ^:delegation :local-model "m" f "Say." [x] :string "own") (defn main [x] (str (f x) (f "second")))'
FAILS_OR_SLEEPS = """(defn ^:delegation :local-model "m" f "Say." [x] :string "own")
(defn main [x] (if (= (f x) "bad") (throw {:kind :Bad :message x}) (host/wait-for :go)))"""


def test_a_run_that_failed_and_is_ordered_anew_is_another_one(shop):
    shop.answers = lambda _: InferenceReply(text="bad")
    text = ASKS.replace('(str (f x) (f "second"))', '(if (= (f x) "bad") (throw {:kind :Bad :message x}) "good")')
    run = shop.put(text, ("a",))
    shop.work()
    assert shop.queue.get(run).state == "dead"
    shop.answers = lambda _: InferenceReply(text="fine")
    assert shop.queue.requeue(run) == "queued"
    shop.work()
    result = result_of(shop.queue.get(run).result)
    assert result["text"] == '"good"'
    assert result["run"] != run
    assert shop.runs == {run: "failed", result["run"]: "complete"}


def test_a_run_that_is_ordered_anew_and_parks_is_one_run_whatever_is_leased(shop, monkeypatch):
    """The second order makes a second run, and no lease of it a third."""
    monkeypatch.setattr("rtfs_framework.orchestrator.working.runs._PARK", 0.0)
    shop.answers = lambda _: InferenceReply(text="bad")
    run = shop.put(FAILS_OR_SLEEPS, ("a",))
    shop.work()
    assert shop.queue.get(run).state == "dead"
    shop.answers, shop.told = None, []
    assert shop.queue.requeue(run) == "queued"
    for _ in range(3):
        shop.work()
        shop.queue._settings.clock.advance(400)
    assert shop.told == [("put back", run, "it waits for :go")] * 3
    assert len(shop.runs) == 2
    assert shop.requests == ["a", "a"], "once for each order"


def test_a_run_of_the_queue_is_not_due_for_others(shop, monkeypatch):
    monkeypatch.setattr("rtfs_framework.orchestrator.working.runs._PARK", 0.0)
    run = shop.put("(defn main [] (host/sleep 60))", ())
    shop.work()
    assert shop.runs == {run: "waiting"}
    assert due_runs(shop.kit.journal, shop.kit.home, now=1e12) == []


def test_a_run_that_somebody_went_on_with_is_not_done_again(shop, monkeypatch):
    monkeypatch.setattr("rtfs_framework.orchestrator.working.runs._PARK", 0.0)
    run = shop.put(ASKS.replace('(f "second")', "(host/wait-for :go)"), ("a",))
    shop.work()
    with shop.open() as session:
        tell(session.host.journal, run, "signalled", {"name": "go"}, '"gone"')
    with shop.open() as session:
        assert session.resume(Resuming(run=run)).value == "agone", "its main is called, as it was ordered"
    shop.queue._settings.clock.advance(400)
    shop.work()
    status = shop.queue.get(run)
    assert (status.state, shop.runs, shop.requests) == ("dead", {run: "complete"}, ["a"])
    assert "is complete: somebody went on with it" in status.reason


def test_a_failure_that_the_queue_did_not_hear_is_not_made_again(shop):
    run = shop.put(ASKS.replace('(f "second")', '(throw {:kind :Oh :message "no luck"})'), ("a",))
    right, down = shop.queue.nack, [True]

    def nack(*given, **named):
        if down.pop() if down else False:
            raise QueueError("down")
        return right(*given, **named)

    shop.queue.nack = nack
    shop.work()
    assert shop.queue.get(run).state == "leased"
    shop.queue._settings.clock.advance(400)
    shop.work()
    status = shop.queue.get(run)
    assert (status.state, shop.runs, shop.requests) == ("dead", {run: "failed"}, ["a"])
    assert status.reason == f"run {run[:12]} has failed: Error at job.rtfs:1:91"


def test_a_run_that_was_cancelled_begins_anew_as_another_one(shop, monkeypatch):
    monkeypatch.setattr("rtfs_framework.orchestrator.working.runs._PARK", 0.0)
    run = shop.put(FAILS_OR_SLEEPS.replace("(host/wait-for :go)", "(host/sleep 0.01)"), ("a",))
    shop.work()
    with shop.open() as session:
        ended(session.host.journal, run, "cancelled by ann")
    shop.queue._settings.clock.advance(400)
    shop.work()
    assert shop.queue.get(run).state == "dead"
    assert "was cancelled" in shop.queue.get(run).reason
    assert shop.queue.requeue(run) == "queued"
    monkeypatch.setattr("rtfs_framework.orchestrator.working.runs._PARK", 60.0)
    shop.work()
    assert shop.queue.get(run).state == "done"
    assert sorted(shop.runs.values()) == ["cancelled", "complete"]
