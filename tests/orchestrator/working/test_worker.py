"""A worker takes runs from a queue: done once, stopped when lost, given back when it ends, and gone on with after."""

from __future__ import annotations

import asyncio
from contextlib import closing
from threading import Event

import attrs
import pytest

from rtfs_framework.api import InferenceReply, ItemFilter, LeaseLostError, QueueError, QueueItem
from rtfs_framework.orchestrator.working.jobs import JobError, QueuedRun, order, result_of
from rtfs_framework.orchestrator.working.worker import _OTHERS

ASKS = '(defn ^:delegation :local-model "m" f "Say." [x] :string "own") (defn main [x] (str (f x) (f "second")))'
PURE = "(defn main [a b] (+ a b))"


class Gate:
    """A model that answers when it may."""

    def __init__(self):
        self.asked, self.open = Event(), Event()

    async def __call__(self, request):
        self.asked.set()
        while not self.open.is_set():  # noqa: ASYNC110 - it is opened from another thread
            await asyncio.sleep(0.01)
        return InferenceReply(text=request.args[0])


def test_a_run_is_done_and_its_result_is_kept(shop):
    run = shop.put()
    shop.work()
    status = shop.queue.get(run)
    result = result_of(status.result)
    assert (status.state, result["text"], result["type"], result["run"]) == ("done", "3", "integer", run)
    assert shop.told == [("done", run, "")]


def test_what_a_dead_worker_had_is_done_as_its_lease_ends(shop):
    runs = [shop.put() for _ in range(6)]
    dead = shop.queue.lease("runs", "dead", 30.0, most=3)
    shop.work()
    states = lambda: [shop.queue.get(run).state for run in runs]  # noqa: E731
    assert sorted(states()) == ["done"] * 3 + ["leased"] * 3, "the others are done meanwhile"
    shop.queue._settings.clock.advance(29.9)
    shop.work()
    assert states().count("done") == 3
    shop.queue._settings.clock.advance(0.11)
    shop.work()
    assert set(states()) == {"done"}, "no later than one lease after its last sign of life"
    assert {shop.queue.get(each.item.id).attempt for each in dead} == {2}
    with pytest.raises(LeaseLostError):
        shop.queue.ack(dead[0], b"late")


def test_a_program_without_main_is_evaluated(shop):
    run = shop.put('(str "a" 1)', ())
    shop.work()
    assert result_of(shop.queue.get(run).result)["text"] == '"a1"'


def test_a_program_that_fails_is_dead_with_its_error(shop):
    run = shop.put('(defn main [] (throw {:kind :Oh :message "no"}))', ())
    shop.work()
    status = shop.queue.get(run)
    assert (status.state, status.attempt) == ("dead", 1)
    assert "no" in status.reason


@pytest.mark.parametrize(
    ("payload", "words"),
    [(b"\xff", "holds no run"), (b"[]", "holds no run"), (b'{"v": 1}', "holds no run"), (b"9" * 9000, "holds no run")],
    ids=["bytes", "list", "fields", "number"],
)
def test_what_is_no_run_is_dead_at_once(shop, payload, words):
    shop.queue.put(QueueItem(id="x", topic="runs", payload=payload))
    shop.work()
    assert shop.queue.get("x").state == "dead"
    assert words in shop.queue.get("x").reason


def test_a_run_of_a_later_version_or_another_compiler_is_refused(shop):
    with shop.open() as session:
        item = order(session, PURE, (1, 2))
    job = QueuedRun.of_bytes(item.payload)
    with pytest.raises(JobError, match="version 2"):
        QueuedRun.of_bytes(item.payload.replace(b'"v":1', b'"v":2'))
    shop.queue.put(attrs.evolve(item, payload=attrs.evolve(job, digest="another").to_bytes()))
    shop.work()
    assert "another one here" in shop.queue.get(item.id).reason


def test_what_has_no_text_is_not_ordered(shop):
    with shop.open() as session, pytest.raises(JobError, match="no text stands for the arguments"):
        order(session, "(defn main [f] 1)", (session.load("(fn [x] x)").value,))


def test_it_takes_no_more_than_it_has_room_for(shop):
    shop.answers = gate = Gate()
    runs = [shop.put(ASKS, (f"{n}",)) for n in range(5)]
    with shop.working(concurrency=2):
        assert gate.asked.wait(20)
        leased = [each.id for each in shop.queue.items(ItemFilter(states=["leased"]))]
        assert len(leased) <= 2
        gate.open.set()
        _until(lambda: all(shop.queue.get(run).state == "done" for run in runs))


def test_a_run_that_is_cancelled_is_stopped(shop):
    shop.answers = gate = Gate()
    run = shop.put(ASKS, ("a",))
    with shop.working():
        assert gate.asked.wait(20)
        assert shop.queue.cancel(run) == "cancelled"
        _until(lambda: shop.told)
    assert shop.told == [("lost", run, "it was cancelled, or another worker has it")]
    assert shop.queue.get(run).result is None


def test_a_worker_that_ends_gives_back_and_the_next_goes_on_by_replay(shop):
    """The first answer was paid for: it is not asked for again, and no try is counted."""
    gate = Gate()

    async def answer(request):
        return InferenceReply(text="paid") if request.args[0] == "a" else await gate(request)

    shop.answers = answer
    run = shop.put(ASKS, ("a",), most_tries=1)
    with shop.working(grace=0.01) as worker:
        assert gate.asked.wait(20)
        worker.end()
        _until(lambda: shop.told)
    assert shop.told == [("put back", run, "the worker ends")]
    status = shop.queue.get(run)
    assert (status.state, status.tries, status.attempt) == ("queued", 0, 1)
    shop.answers = None
    shop.requests.clear()
    shop.work()
    assert shop.queue.get(run).reason == ""
    assert result_of(shop.queue.get(run).result)["text"] == '"paidsecond"'
    assert shop.requests == ["second"]


def test_a_run_that_its_host_s_limits_stop_is_dead_at_once(shop):
    shop.config = "[limits]\nsteps = 1000\n"
    run = shop.put("(defn main [] (reduce + (map (fn [x] (* x x)) (range 0 100000))))", ())
    shop.work()
    status = shop.queue.get(run)
    assert (status.state, status.attempt) == ("dead", 1)
    assert "steps" in status.reason


@pytest.mark.parametrize(
    ("more", "words"),
    [({"key": "x" * 300}, "the key of an item"), ({"args": ("x" * 800_000, 1)}, "a payload has at most")],
    ids=["key", "payload"],
)
def test_what_no_queue_takes_is_not_ordered(shop, more, words):
    with pytest.raises(JobError, match=words):
        shop.put(**more)


def test_a_result_that_no_queue_keeps_ends_the_item(shop):
    run = shop.put('(defn main [n] (apply str (repeat n "x")))', (900_000,))
    shop.work()
    assert shop.queue.get(run).state == "dead"
    assert "786,432 bytes" in shop.queue.get(run).reason


def test_an_unknown_tenant_ends_the_item(shop):
    with shop.open() as session:
        item = attrs.evolve(order(session, PURE, (1, 2)), tenant="x*")
    shop.queue.put(item)
    shop.work()
    assert shop.queue.get(item.id).state == "dead"


def test_a_worker_whose_configuration_is_wrong_ends_nothing(shop):
    run = shop.put()
    shop.config = "[limits]\nsteps = false\n"
    shop.work()
    status = shop.queue.get(run)
    assert (status.state, status.tries) == ("queued", 0)
    assert "this worker's configuration: " in status.reason
    shop.config = ""
    shop.queue._settings.clock.advance(10)
    shop.work()
    assert shop.queue.get(run).state == "done"


def test_a_worker_for_some_tenants_pauses_while_only_others_have_work(shop):
    """The queue says at once that there is something: it is not asked for it again and again."""
    shop.put()
    worker, sessions = shop.worker(tenants=("acme",))
    looks, pauses = [], []
    right = shop.queue.lease

    def lease(*given, **named):
        looks.append(given)
        if len(looks) == 9:
            worker.end()
        return right(*given, **named)

    class Ending(Event):
        def wait(self, timeout=None):
            pauses.append(timeout)
            return self.is_set()

    shop.queue.lease, worker._ending = lease, Ending()
    with closing(sessions):
        worker.work()
    assert len(looks) == 9
    assert pauses == [_OTHERS] * 9


def test_a_queue_that_is_down_is_told_and_tried_again(shop):
    run = shop.put()
    right, down = shop.queue.lease, [True]

    def lease(*given, **named):
        if down.pop() if down else False:
            raise QueueError("down")
        return right(*given, **named)

    shop.queue.lease = lease
    shop.work()  # that nothing could be asked does not mean that nothing is there
    assert shop.queue.get(run).state == "done"
    assert ("queue", "", "down") in shop.told


def _until(holds):
    for _ in range(3000):
        if holds():
            return
        Event().wait(0.01)
    raise AssertionError("it came to a stand")


def test_a_call_of_which_nobody_knows_how_it_ended_is_a_persons_matter(shop):
    """The model is not idempotent, so it is not asked again; the reason says what a person may do."""
    shop.idempotent = False
    shop.answers = gate = Gate()
    run = shop.put(ASKS, ("a",))
    with shop.working(grace=0.01):
        assert gate.asked.wait(20)
    shop.work()
    status = shop.queue.get(run)
    assert status.state == "dead"
    assert "nobody knows how it ended" in status.reason
    assert "--assume" in status.reason


def test_a_run_that_waits_holds_no_worker(shop, monkeypatch):
    """It is given back, goes on with what it was answered, and ends when its time has come."""
    monkeypatch.setattr("rtfs_framework.orchestrator.working.runs._PARK", 0.0)
    run = shop.put(ASKS.replace('(f "second")', '(do (host/sleep 0.2) "slept")'), ("a",), most_tries=1)
    shop.work()
    assert shop.told == [("put back", run, "it waits for its time")]
    status = shop.queue.get(run)
    assert (status.state, status.tries) == ("queued", 0)
    Event().wait(0.3)
    shop.queue._settings.clock.advance(10)
    shop.work()
    assert shop.queue.get(run).reason == ""
    assert result_of(shop.queue.get(run).result)["text"] == '"aslept"'
    assert shop.requests == ["a"]


def test_what_is_told_to_end_twice_gives_back_at_once(shop):
    shop.answers = gate = Gate()
    run = shop.put(ASKS, ("a",))
    with shop.working(grace=1_000.0) as worker:
        assert gate.asked.wait(20)
        worker.end()
        worker.end()
        _until(lambda: shop.told)
    assert shop.told == [("put back", run, "the worker ends")]


def test_a_result_is_told_again_while_the_queue_is_down(shop):
    run = shop.put()
    right, down = shop.queue.ack, [1, 2]

    def ack(*given):
        if down:
            raise QueueError(f"down {down.pop()}")
        right(*given)

    shop.queue.ack = ack
    shop.work()
    assert shop.told == [("done", run, "")]
    assert shop.queue.get(run).attempt == 1
