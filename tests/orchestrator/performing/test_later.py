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
from rtfs_framework.orchestrator.boundary import exact
from rtfs_framework.orchestrator.performing import later
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
    with desk.open() as session:
        program = session.load(desk.source(F + "(defn main [] (await (ticket (f 1))))"))
        id_ = f"{program.run_id}/1:0"
        payload = json.dumps({"target": "local-model m"}).encode()
        desk.queue.put(QueueItem(id=id_, topic="tickets", payload=payload))
        (lease,) = desk.queue.lease("tickets", "killed", 30)
        kept = {"value": exact.to_text("kept"), "model": "m1", "cost": 0.5, "input_tokens": 7, "run": "ab"}
        desk.queue.ack(lease, json.dumps(kept).encode())
        found = desk.queue.get(id_)
        result = program.call("main")
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
