"""A worker is killed with -9 in the middle of a run: another one goes on, and asks and does nothing twice."""

from __future__ import annotations

import os
import signal
import time
from contextlib import closing, suppress

import pytest

from rtfs_framework.api import CapabilityEntry, InferenceReply, QueueSettings
from rtfs_framework.lang.source import Source
from rtfs_framework.orchestrator.concurrency.clock import SystemClock
from rtfs_framework.orchestrator.working.jobs import order, result_of
from rtfs_framework.orchestrator.working.runs import RunPerformer
from rtfs_framework.orchestrator.working.sessions import Sessions
from rtfs_framework.orchestrator.working.worker import Worker, WorkerTerms

pytestmark = [
    pytest.mark.needs("rtfs-queue-sqlite"),
    pytest.mark.skipif(not hasattr(os, "fork"), reason="forks are POSIX's"),
    pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning"),
]
TEXT = """
(defn ^:delegation :local-model "m" f "Say." [x] :string "own")
(defn main [x] (let [first (f x) put (call :put first)] (str put "," (f "slow") "," (call :put "last"))))
"""


class World:
    """A queue in a file, a model that may hang, and an effect that leaves a line."""

    def __init__(self, kit):
        self.kit, self.log = kit, kit.home / "log.txt"

    def say(self, *words):
        with self.log.open("a", encoding="utf-8") as file:
            file.write(" ".join(words) + "\n")

    @property
    def lines(self):
        with suppress(FileNotFoundError):
            return self.log.read_text(encoding="utf-8").splitlines()
        return []

    def queue(self):
        from rtfs_queue_sqlite.plugin import rtfs_queues

        (entry,) = rtfs_queues()
        return entry.factory(QueueSettings(clock=SystemClock(), directory=str(self.kit.home)))

    def open(self, tenant="", *, hangs=False):
        def answer(request):
            self.say("asked", request.args[0])
            if hangs and request.args[0] == "slow":
                time.sleep(60)
            return InferenceReply(text=request.args[0])

        def put(request):
            self.say("put", request.args[0], request.key)
            return "ok"

        effect = CapabilityEntry(id="put", summary="Puts.", handler=put, idempotent=True)
        catalog = self.kit.catalog(self.kit.provider("m", answer, idempotent=True), capabilities=(effect,))
        return self.kit.open(catalog, '[security]\ngrant = ["put"]\n', tenant=tenant)

    def work(self, *, hangs=False):
        sessions = Sessions(lambda tenant: self.open(tenant, hangs=hangs))
        terms = WorkerTerms(concurrency=1, lease=0.5, grace=20.0)
        with closing(sessions), closing(self.queue()) as queue:
            Worker(queue, {"runs": RunPerformer(sessions)}, SystemClock(), terms).work(until_empty=True)


def test_a_run_moves_and_nothing_is_done_twice(kit):
    world = World(kit)
    with closing(world.queue()) as queue:
        with world.open() as session:
            item = order(session, Source("job.rtfs", TEXT), ("first",))
        queue.put(item)
        child = os.fork()
        if not child:  # pragma: no cover - it is killed
            world.work(hangs=True)
            os._exit(3)
        _until(lambda: "asked slow" in world.lines)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        assert queue.wait(["runs"], 20), "the lease of the dead one ends"
        world.work()
        status = queue.get(item.id)
    assert (status.state, status.attempt) == ("done", 2)
    assert result_of(status.result)["text"] == '"ok,slow,ok"'
    words = [line.split()[:2] for line in world.lines]
    right = [["asked", "first"], ["put", "first"], ["asked", "slow"], ["asked", "slow"], ["put", "last"]]
    assert words == right, "only what was under way is asked again"
    assert len({line.split()[2] for line in world.lines if line.startswith("put")}) == 2, "each effect has its key"


def _until(holds):
    for _ in range(3000):
        if holds():
            return
        time.sleep(0.01)
    raise AssertionError("it came to a stand")
