"""Targets that answer later: their requests are items of the durable queue, done once whatever happens."""

from __future__ import annotations

import asyncio
import json

import attrs
import pytest

from rtfs_framework.api import (
    FailureKind,
    InferenceReply,
    ItemFilter,
    ProgramError,
    ProviderAuthError,
    ProviderTimeout,
    ProviderUnavailable,
    QueueEntry,
    QueueItem,
    QueueSettings,
    Usage,
)
from rtfs_framework.api.queue import MOST_PAYLOAD
from rtfs_framework.api.remote import RemoteRun
from rtfs_framework.orchestrator.boundary import exact
from rtfs_framework.orchestrator.performing import items, later
from rtfs_framework.orchestrator.performing.items import bounded
from rtfs_framework.testing import FakeClock
from rtfs_framework.testing.memory_queue import MemoryQueue, Shelf

LATER = """[queue]
store = "mine"
[delegation]
attempts = 3
[delegation.local_models.m]
provider = "m"
later = true
"""
LABELS = """[labels.inputs]
email = ["pii"]
"""
F = '(defn ^:delegation :local-model "m" f "Say." [x] : :string (str "own " x))\n'
GONE = ProviderUnavailable("m", "gone", failure=FailureKind.SAFE)
BUSY = ProviderUnavailable("m", "busy", failure=FailureKind.SAFE, retry_after=20.0)


class Desk:
    """Sessions over one queue; `says` answers requests, by what they ask."""

    def __init__(self, kit, source):
        self.kit, self.source, self.clock, self.shelf = kit, source, FakeClock(), Shelf()
        self.says = lambda arg: f"said {arg}"
        self.asked = []
        self.queue = self.made(QueueSettings(clock=self.clock))
        catalog = kit.catalog(kit.provider("m", self._answer))
        who = catalog.providers["m"][1]
        entry = QueueEntry(name="mine", summary="", factory=self.made)
        self.catalog = attrs.evolve(catalog, queues={"mine": (entry, who)})

    def made(self, settings):
        return MemoryQueue(settings, self.shelf)

    async def _answer(self, request):
        self.asked.append(request.args[0])
        found = self.says(request.args[0])
        return InferenceReply(text=found, usage=Usage(3, 4), model="m1") if isinstance(found, str) else found

    def answered(self, text, kept, call="1:0"):
        """Call `main`; the item of a call of it was answered so in a process before."""
        with self.open(LABELS) as session:
            program = session.load(self.source(F + f"(defn main [] {text})"))
            id_ = f"{program.run_id}/{call}"
            payload = json.dumps({"target": "local-model m"}).encode()
            self.queue.put(QueueItem(id=id_, topic="tickets", payload=payload))
            (lease,) = self.queue.lease("tickets", "killed", 30)
            self.queue.ack(lease, json.dumps(kept).encode())
            return program.call("main"), self.queue.get(id_)

    def open(self, config="", **more):
        return self.kit.open(self.catalog, LATER + config, clock=self.clock, **more)

    def run(self, text, config="", **more):
        """Run a program while time passes: half a second every two milliseconds."""
        with self.open(config, **more) as session:
            return asyncio.run(self._while_time_passes(session, text))

    async def _while_time_passes(self, session, text):
        async def passes():
            while True:
                await asyncio.sleep(0.002)
                self.clock.advance(0.5)

        time = asyncio.create_task(passes())
        try:
            return await session.run_async(self.source(F + text))
        finally:
            time.cancel()

    @property
    def items(self):
        return self.queue.items(ItemFilter(topic="tickets"))


@pytest.fixture
def desk(kit, source, monkeypatch):
    monkeypatch.setattr(later, "LEASE", 1e6)  # time flies here
    return Desk(kit, source)


def test_a_request_is_an_item_that_is_done_with_its_answer(desk):
    result = desk.run("(let [a (ticket (f 1)) b (ticket (f 2))] [(await b) a (f 3) (str a b)])")
    assert result.value == ("said 2", "said 1", "said 3", "said 1said 2")
    assert sorted(desk.asked) == [1, 2, 3]
    states = {each.id: (each.state, each.tries) for each in desk.items}
    assert states == {f"{result.run_id}/0:{path}": ("done", 1) for path in (0, 1, 2)}
    kept = desk.queue.get(f"{result.run_id}/0:0")
    assert json.loads(kept.payload)["symbol"] == "f"
    assert json.loads(kept.payload)["target"] == "local-model m"
    assert "said 1" in json.loads(kept.result)["value"]
    assert [call.input_tokens for call in result.calls] == [3, 3, 3]


def test_a_failure_costs_a_try_and_the_next_one_waits_for_its_time(desk):
    left = [BUSY, GONE]

    def says(arg):
        return left.pop() if left else "at last"

    desk.says = says
    result = desk.run("(await (ticket (f 1)))")
    assert (result.value, desk.asked) == ("at last", [1, 1, 1])
    (item,) = desk.items
    assert (item.state, item.tries) == ("done", 3)
    (call,) = result.calls
    assert [each.attempt.kind for each in call.attempts] == [FailureKind.SAFE, FailureKind.SAFE]


@pytest.mark.parametrize(
    ("error", "asked"),
    [(GONE, 3), (ProviderAuthError("m", "no key"), 1), (ProviderTimeout("m", "no answer in time"), 1)],
)
def test_what_is_dead_is_the_calls_error_where_it_is_awaited(desk, error, asked):
    desk.says = lambda arg: error
    text = "(let [t (ticket (f 1))] (try (await t) (catch HostError e (:message e))))"
    result = desk.run(text, '[delegation.static_routes]\n"g" = "local-pure"\n')
    (item,) = desk.items
    assert item.state == "dead"
    assert len(desk.asked) == asked
    assert "m" in result.value


def test_a_target_that_is_left_alone_costs_no_try(desk):
    """The breaker opens after three failures of other calls; the ticket waits until it is time, with all its tries."""
    desk.says = lambda arg: GONE if arg == "bad" else "fine"
    config = "[health]\nminimum_calls = 3\n"
    text = '(defn g [] (try (f "bad") (catch e 0))) (do (g) (await (ticket (f 1))))'

    result = desk.run(text, config)
    assert result.value == "fine"
    item = desk.items[-1]
    assert (item.state, item.tries) == ("done", 1)
    assert item.attempt > 1
    assert result.calls[-1].attempts == ()


def test_what_was_done_already_is_not_asked_for_again(desk):
    kept = {"value": exact.to_text("kept"), "model": "m1", "cost": 0.5, "input_tokens": 7, "run": "ab"}
    result, found = desk.answered("(await (ticket (f 1)))", kept)
    assert (result.value, desk.asked) == ("kept", [])
    assert ("ticket", "answered in run ab") in result.calls[0].decision.steps
    assert (result.calls[0].model, result.calls[0].input_tokens, found.state) == ("m1", 7, "done")


def test_one_that_a_person_cancels_ends(desk, monkeypatch):
    monkeypatch.setattr(later, "LEASE", 0.06)

    async def says_nothing():
        (item,) = desk.items
        desk.queue.cancel(item.id)
        await asyncio.sleep(60)

    desk.kit.providers["m"].answer = lambda request: says_nothing()
    with pytest.raises(ProgramError, match="was cancelled"):
        desk.run("(await (ticket (f 1)))")


def test_items_of_other_processes_are_left_to_them(desk):
    for number in range(5):
        desk.queue.put(QueueItem(id=f"other/{number}", topic="tickets", payload=b"{}"))
    assert desk.run("(await-all (for [x [1 2 3]] (ticket (f x))))").value == ("said 1", "said 2", "said 3")
    assert {each.state for each in desk.items if each.id.startswith("other")} == {"queued"}
    assert {each.tries for each in desk.items if each.id.startswith("other")} == {0}


def test_a_queue_that_is_full_refuses_and_says_so(desk):
    desk.queue.put(QueueItem(id="a", topic="runs", payload=b""))
    few = desk.made
    desk.made = lambda settings: few(attrs.evolve(settings, most_items=1))
    with pytest.raises(ProgramError, match="the queue is full"):
        desk.run("(f 1)", environ={**desk.kit.environ, "RTFS_QUEUE__MOST_ITEMS": "1"})


def hint(name, said):
    return f"^{{:runtime.learning.{name} {said}}}"


MARKED = RemoteRun(host="north", run="ab" * 16, labels=frozenset({"pii"}))


@pytest.mark.parametrize(("accepts", "kept"), [("[]", False), ('["pii"]', True)])
def test_the_queue_keeps_no_answer_that_the_journal_may_not_whoever_marked_it(desk, accepts, kept):
    desk.says = lambda arg: InferenceReply(text="alice", remote=MARKED)
    result = desk.run("(f 1)", f"{LABELS}[labels.accepts]\njournal = {accepts}\n")
    assert (result.value, sorted(result.marks)) == ("alice", ["pii"])
    found = json.loads(desk.queue.get(desk.items[0].id).result)
    assert (found["value"] is not None, found["marks"]) == (kept, ["pii"])


def test_a_kept_answer_has_the_marks_that_another_host_gave_it(desk):
    result, _ = desk.answered("(await (ticket (f 1)))", {"value": exact.to_text("alice"), "marks": ["pii"]})
    assert (result.value, sorted(result.marks)) == ("alice", ["pii"])


def test_the_hint_retry_bounds_the_tries_of_an_item(desk):
    desk.says = lambda arg: GONE
    text = f"(try {hint('retry', '{:max-retries 1 :backoff-ms 100}')} (f 1) (catch e 0))"
    result = desk.run(text)
    assert (result.value, desk.asked, desk.items[0].tries) == (0, [1, 1], 2)
    (said,) = [call.hints for call in result.calls if call.hints]
    assert dict(said)["retry"] == "repeated 1 of 1 times"


def test_no_item_is_put_back_beyond_the_time_of_its_call(desk):
    """It ends at once, while no time passes."""
    desk.says = lambda arg: BUSY  # for 20 s
    with desk.open() as session:
        result = session.run(desk.source(F + f"(try {hint('timeout', '{:absolute-ms 15000}')} (f 1) (catch e 0))"))
    assert result.value == 0
    assert (desk.asked, desk.items[0].state) == ([1], "dead")


def test_a_call_waits_for_its_item_as_long_as_it_has_time(desk, monkeypatch):
    async def others_have_it(self, own):
        return None

    monkeypatch.setattr(later.Later, "_claimed", others_have_it)
    text = f"(try {hint('timeout', '{:absolute-ms 3000}')} (f 1) (catch e (:message e)))"
    assert "time is over" in desk.run(text).value
    assert (desk.asked, desk.items[0].state) == ([], "cancelled")


def test_a_kept_answer_is_held_to_the_hint_validation(desk):
    text = f'(try {hint("validation", "{:validate-schema :int}")} (f 1) (catch TypeValidationError e "refused"))'
    result, _ = desk.answered(text, {"value": exact.to_text("kept")}, "1:1")  # what a hint says is told the host before
    assert (result.value, desk.asked) == ("refused", [])


def test_an_answer_that_no_queue_keeps_is_the_calls_answer_all_the_same(desk):
    long = '"' * (MOST_PAYLOAD // 3)  # each of them takes four characters in a result
    desk.says = lambda arg: long
    result = desk.run("(count (f 1))")
    (item,) = desk.items
    assert (result.value, desk.asked, item.state) == (len(long), [1], "done")
    assert json.loads(desk.queue.get(item.id).result)["value"] is None


def test_an_item_that_no_queue_takes_is_refused_and_says_so(desk, monkeypatch):
    monkeypatch.setattr(items, "bounded", lambda id_: id_ * 9)
    with pytest.raises(ProgramError, match="its item cannot be placed: the id of an item"):
        desk.run("(f 1)")


def test_long_ids_are_bounded_and_stay_apart():
    ids = [bounded("run/" + "1." * number) for number in range(100, 300)]
    assert len(set(ids)) == 200
    assert max(map(len, ids)) == 256
    assert bounded("run/1:0@remote a") == "run/1:0@remote a"


def test_a_reply_that_is_not_sure_enough_is_no_answer_of_its_item(desk):
    desk.says = lambda arg: InferenceReply(text="perhaps", confidence=0.4)
    result = desk.run("(try (f 1) (catch e 0))", "min_confidence = 0.9\n")
    (item,) = desk.items
    assert (result.value, item.state, desk.queue.get(item.id).result) == (0, "dead", None)


def test_a_lease_that_is_over_once_the_answer_is_kept_takes_nothing_back(desk, monkeypatch):
    monkeypatch.setattr(later, "LEASE", 0.06)
    keep = later.Later._keep

    async def slowly(self, *given):
        await keep(self, *given)
        await asyncio.sleep(0.1)  # meanwhile the lease is renewed in vain

    monkeypatch.setattr(later.Later, "_keep", slowly)
    desk.says = lambda arg: InferenceReply(text="alice", remote=MARKED)  # which the queue does not keep
    assert desk.run("(f 1)", f"{LABELS}[labels.accepts]\njournal = []\n").value == "alice"


@pytest.mark.parametrize("end", ["cancelled", "dead"])
def test_an_answer_that_cannot_be_kept_is_told_and_its_item_ends_as_it_ends(desk, end):
    def says(arg):
        (item,) = desk.items
        if end == "cancelled":
            desk.queue.cancel(item.id)
        else:
            desk.clock.advance(2e6)  # its lease is over
            (lease,) = desk.queue.lease("tickets", "another", 30)
            desk.queue.nack(lease, "not here", final=True)
        return f"said {arg}"

    desk.says = says
    result = desk.run("(await (ticket (f 1)))")
    (item,) = desk.items
    assert (result.value, item.state, desk.queue.get(item.id).result) == ("said 1", end, None)
    assert desk.asked == [1]


def test_a_run_that_has_failed_leaves_no_item_to_anybody(desk):
    text = '(let [t (ticket (f 1))] (f 2) (throw "broken"))'

    async def says_nothing():
        await asyncio.sleep(3600)

    answer = desk._answer
    desk.kit.providers["m"].answer = lambda request: says_nothing() if request.args == (1,) else answer(request)
    with pytest.raises(ProgramError, match="broken"):
        desk.run(text)
    assert sorted(each.state for each in desk.items) == ["cancelled", "done"]


def test_a_run_that_is_stopped_leaves_its_items_to_whoever_goes_on_with_it(desk):
    async def says_nothing():
        desk.asked.append(1)
        await asyncio.sleep(3600)

    desk.kit.providers["m"].answer = lambda request: says_nothing()

    async def stopped(session):
        task = asyncio.create_task(session.run_async(desk.source(F + "(await (ticket (f 1)))")))
        while not desk.asked:  # noqa: ASYNC110 - asked in another thread's order
            await asyncio.sleep(0.001)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    with desk.open() as session:
        asyncio.run(stopped(session))
    assert [(each.state, each.tries) for each in desk.items] == [("queued", 0)]
