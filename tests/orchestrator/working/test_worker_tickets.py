"""A worker takes tickets: those whose process was killed, under its own rules, and their calls find the answers."""

from __future__ import annotations

import asyncio
import json
from contextlib import closing, contextmanager

import attrs
import pytest

from rtfs_framework.api import (
    ConfigError,
    FailureKind,
    InferenceReply,
    ItemFilter,
    ProgramError,
    ProviderAuthError,
    ProviderUnavailable,
    QueueEntry,
    QueueError,
    QueueSettings,
)
from rtfs_framework.api.remote import RemoteRun
from rtfs_framework.lang.errors import LimitError
from rtfs_framework.lang.source import Source
from rtfs_framework.orchestrator.boundary import exact
from rtfs_framework.orchestrator.recording.journal import query
from rtfs_framework.orchestrator.recording.journal.outside import ended
from rtfs_framework.orchestrator.running.past_calls import ResumeError
from rtfs_framework.orchestrator.working.held import GiveBack, Held, Hopeless
from rtfs_framework.orchestrator.working.performers import performers_of
from rtfs_framework.orchestrator.working.sessions import Sessions
from rtfs_framework.orchestrator.working.worker import Worker, WorkerTerms
from rtfs_framework.testing import FakeClock
from rtfs_framework.testing.memory_queue import MemoryQueue, Shelf

CONFIG = '[queue]\nstore = "mine"\n[delegation.local_models.m]\nprovider = "m"\nlater = true\nworkers = true\n'
ASKS = """(deftype Pair [:map [:a :int] [:b :string]])
(defn f "Say it." ^:delegation :local-model "m" [x : Pair & more] : :string "own")
(let [t (ticket (f {:a 1 :b "b"} :c [2.0]))] (str (await t)))"""


class Shop:
    """Sessions and workers over one queue; `answer` is what the model says, by which session asks."""

    name = "m"
    """Of the provider that there is."""

    def __init__(self, kit):
        self.kit, self.clock, self.shelf, self.told, self.requests = kit, FakeClock(), Shelf(), [], []
        self.keys, self.offered = [], {}
        self.queue = MemoryQueue(QueueSettings(clock=self.clock), self.shelf)

    def open(self, answer, config=CONFIG):
        async def said(request):
            self.requests.append(request.args)
            self.keys.append(request.key)
            return await answer()

        catalog = self.kit.catalog(self.kit.provider(self.name, said, **self.offered))
        entry = QueueEntry(name="mine", summary="", factory=lambda made: MemoryQueue(made, self.shelf))
        catalog = attrs.evolve(catalog, queues={"mine": (entry, catalog.providers[self.name][1])})
        return self.kit.open(catalog, config, clock=self.clock)

    def killed(self, text=ASKS, config=CONFIG):
        """Run a program until its model is asked, and stop it there; return its item."""
        stopping = asyncio.Event()

        async def never():
            stopping.set()
            await asyncio.sleep(3600)

        async def run(session):
            task = asyncio.create_task(session.run_async(Source("p.rtfs", text)))
            while not stopping.is_set() and not task.done():  # noqa: ASYNC110 - set in another loop
                await asyncio.sleep(0.002)
            assert not task.done()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

        with self.open(never, config) as session:
            asyncio.run(run(session))
        (item,) = self.queue.items(ItemFilter(topic="tickets"))
        assert item.state == "queued"
        self.requests.clear()
        return self.queue.get(item.id)

    def work(self, answer, config=CONFIG):
        sessions = Sessions(lambda _tenant: self.open(answer, config))
        terms = WorkerTerms(concurrency=1, lease=5.0, grace=5.0, name="w")
        with closing(sessions):
            told = lambda *words: self.told.append(words)  # noqa: E731
            worker = Worker(self.queue, performers_of(sessions), self.clock, terms, told)
            worker.work(until_empty=True)

    @contextmanager
    def leased(self, answer, config):
        """Yield what performs tickets, and the item in its hands."""
        sessions = Sessions(lambda _tenant: self.open(answer, config))
        (lease,) = self.queue.lease("tickets", "w", 3600)
        with closing(sessions):
            yield performers_of(sessions)["tickets"], Held(self.queue, self.clock, lease, 3600.0)


@pytest.fixture
def shop(kit):
    return Shop(kit)


def said(what):
    async def answer():
        return what() if callable(what) else what

    return answer


def test_the_request_is_made_with_the_same_arguments_and_its_answer_is_kept(shop):
    item = shop.killed()
    shop.work(said(InferenceReply(text="done", model="m1")))
    (asked,) = shop.requests
    assert asked == exact.from_text(json.loads(item.payload)["order"]["args"])
    done = shop.queue.get(item.id)
    found = json.loads(done.result)
    assert (done.state, done.tries, exact.from_text(found["value"]), found["model"]) == ("done", 1, "done", "m1")
    assert len(found["run"]) == 32


def test_a_worker_asks_with_the_key_of_the_call(shop):
    """An idempotent model that was asked, and whose asker died then, is asked by the worker for the same thing."""
    shop.offered = {"remote": True, "idempotent": True}
    text, config = (
        each.replace("local-model", "remote").replace("local_models", "remote_providers") for each in (ASKS, CONFIG)
    )
    shop.killed(text, config)
    shop.work(said(InferenceReply(text="done")), config)
    first, again = shop.keys
    assert first
    assert first == again


def test_an_answer_from_another_host_keeps_the_marks_that_it_came_with(shop):
    item = shop.killed()
    marked = RemoteRun(host="north", run="ab" * 16, labels=frozenset({"pii"}))
    shop.work(said(InferenceReply(text="done", remote=marked)))
    assert json.loads(shop.queue.get(item.id).result)["marks"] == ["pii"]


def test_what_may_be_made_again_costs_a_try(shop):
    item = shop.killed()
    config = CONFIG.replace("[delegation.", "[delegation]\nattempts = 1\n[delegation.", 1)
    gone = said(ProviderUnavailable("m", "gone", failure=FailureKind.SAFE))
    with shop.leased(gone, config) as (performer, held), pytest.raises(ProgramError, match="gone"):
        performer.perform(held)
    assert shop.queue.get(item.id).state == "leased"
    assert len(shop.requests) == 1


def test_a_target_that_is_left_alone_costs_none(shop):
    shop.killed()
    config = CONFIG.replace("[delegation.", "[delegation]\nattempts = 1\n[delegation.", 1)
    config += "[health]\nminimum_calls = 2\n"
    with shop.leased(said(ProviderUnavailable("m", "gone", failure=FailureKind.SAFE)), config) as (performer, held):
        for _ in range(2):
            with pytest.raises(ProgramError, match="gone"):
                performer.perform(held)
            held.lease = attrs.evolve(held.lease, attempt=held.lease.attempt + 1)
        for _ in range(3):
            with pytest.raises(GiveBack) as given_back:
                performer.perform(held)
            held.lease = attrs.evolve(held.lease, attempt=held.lease.attempt + 1)
        runs = query.list_runs(shop.kit.journal)
        assert given_back.value.delay > 0
        assert len(shop.requests) == 2
        assert [each.status for each in runs[:3]] == ["failed"] * 3


def test_a_failure_for_good_is_dead_with_its_reason(shop):
    item = shop.killed()
    shop.work(said(ProviderAuthError("m", "no key")))
    dead = shop.queue.get(item.id)
    assert dead.state == "dead"
    assert "m" in dead.reason


@pytest.mark.parametrize(
    "config",
    [CONFIG.replace("workers = true\n", ""), CONFIG.replace("workers = true\n", "workers = false\n")],
)
def test_arguments_that_may_not_be_in_the_queue_stay_with_their_process(shop, config):
    item = shop.killed(config=config)
    assert "order" not in json.loads(item.payload)
    assert "Say it" not in item.payload.decode()


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (ResumeError("E0724", "under way", ""), GiveBack),
        (ResumeError("E0722", "nobody knows", ""), Hopeless),
        (LimitError("steps", 1, "too many steps"), Hopeless),
        (ConfigError([]), ConfigError),
    ],
    ids=["under-way", "unsettled", "limit", "config"],
)
def test_what_ends_a_ticket_and_what_does_not(shop, monkeypatch, error, outcome):
    shop.killed()
    with shop.leased(said(InferenceReply(text="never")), CONFIG) as (performer, held):

        def fails(*_):
            raise error

        monkeypatch.setattr("rtfs_framework.orchestrator.working.tickets._perform", fails)
        with pytest.raises(outcome):
            performer.perform(held)


def test_a_worker_without_the_target_does_not_ask(shop):
    shop.killed()
    shop.name = "n"
    config = CONFIG.replace('local_models.m]\nprovider = "m"', 'local_models.n]\nprovider = "n"')
    with (
        shop.leased(said(InferenceReply(text="never")), config) as (performer, held),
        pytest.raises(GiveBack, match="this worker has no such target"),
    ):
        performer.perform(held)
    assert shop.requests == []


def test_a_failure_of_which_nobody_knows_is_not_made_again_though_the_queue_did_not_hear(shop):
    shop.killed()
    config = CONFIG.replace("[delegation.", "[delegation]\nattempts = 1\n[delegation.", 1)
    gone = said(ProviderUnavailable("m", "gone", failure=FailureKind.UNCERTAIN))
    with shop.leased(gone, config) as (performer, held):
        for _ in range(2):
            with pytest.raises(Hopeless, match="gone"):
                performer.perform(held)
    assert len(shop.requests) == 1


def test_a_ticket_that_somebody_cancelled_is_not_made_again(shop, monkeypatch):
    def down(*_):
        raise QueueError("down")

    shop.killed()
    with shop.leased(said(InferenceReply(text="done")), CONFIG) as (performer, held):
        monkeypatch.setattr(MemoryQueue, "ack", down)
        held.lost = True  # so that it is told once
        with pytest.raises(QueueError):
            performer.perform(held)
        run = query.list_runs(shop.kit.journal)[0]
        assert run.status == "interrupted"
        with shop.open(said(None)) as session:
            ended(session.host.journal, run.id, "cancelled by ann")
        with pytest.raises(Hopeless, match="has ended beside the queue: cancelled"):
            performer.perform(held)
    assert len(shop.requests) == 1
