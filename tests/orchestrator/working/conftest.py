"""A queue in memory, and workers for it."""

from __future__ import annotations

from contextlib import closing, contextmanager
from threading import Thread

import attrs
import pytest

from rtfs_framework.api import InferenceReply, QueueSettings
from rtfs_framework.lang.source import Source
from rtfs_framework.orchestrator.recording.journal import query
from rtfs_framework.orchestrator.working.jobs import order
from rtfs_framework.orchestrator.working.runs import RunPerformer
from rtfs_framework.orchestrator.working.sessions import Sessions
from rtfs_framework.orchestrator.working.worker import Worker, WorkerTerms
from rtfs_framework.testing import FakeClock
from rtfs_framework.testing.memory_queue import MemoryQueue

PURE = "(defn main [a b] (+ a b))"


@attrs.define
class Shop:
    """A queue, and workers for it."""

    kit: object
    queue: MemoryQueue
    idempotent: bool = True
    config: str | None = None
    answers: object = None
    """A function of a request; None echoes."""
    told: list = attrs.field(factory=list)
    requests: list = attrs.field(factory=list)

    def open(self, tenant=""):
        def answer(request):
            self.requests.append(request.args[0])
            return InferenceReply(text=request.args[0]) if self.answers is None else self.answers(request)

        catalog = self.kit.catalog(self.kit.provider("m", answer, idempotent=self.idempotent))
        return self.kit.open(catalog, self.config, tenant=tenant)

    @property
    def runs(self):
        """The statuses of the runs of the journal, by id."""
        return {each.id: each.status for each in query.list_runs(self.kit.journal)}

    def put(self, text=PURE, args=(1, 2), **more):
        with self.open() as session:
            item = order(session, Source("job.rtfs", text), args, **more)
        self.queue.put(item)
        return item.id

    def worker(self, **terms):
        terms = WorkerTerms(**{"concurrency": 2, "lease": 0.3, "grace": 20.0, "name": "w", **terms})
        sessions = Sessions(self.open)
        told = lambda *words: self.told.append(words)  # noqa: E731
        return Worker(self.queue, {"runs": RunPerformer(sessions)}, FakeClock(), terms, told), sessions

    def work(self, **terms):
        """Work until there is nothing to do."""
        worker, sessions = self.worker(**terms)
        with closing(sessions):
            worker.work(until_empty=True)

    @contextmanager
    def working(self, **terms):
        worker, sessions = self.worker(**terms)
        thread = Thread(target=worker.work)
        thread.start()
        try:
            yield worker
        finally:
            worker.end()
            thread.join(30)
            sessions.close()
            assert not thread.is_alive()


@pytest.fixture
def shop(kit):
    return Shop(kit, MemoryQueue(QueueSettings(clock=FakeClock())))
