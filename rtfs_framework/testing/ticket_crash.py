"""Kill -9 around tickets of programs: runs that order them and workers that do them are killed at random. POSIX alone.

    report = tickets("acme_queue.plugin", own, count=100, kills=6)
    assert report.done <= report.told <= report.done + report.unkept and report.asked == report.keys

Producers are processes that run a program with `(ticket (f x))`; one that is killed goes on with its run. Consumers are
workers (`rtfs worker --topics tickets`). All share one queue and a model that remembers with which keys it was asked.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from importlib import import_module
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import attrs

from rtfs_framework.api import (
    FailureKind,
    InferenceReply,
    InferenceRequest,
    ItemFilter,
    ItemState,
    Lease,
    Locality,
    ProviderEntry,
    ProviderUnavailable,
    Queue,
    QueueError,
)
from rtfs_framework.lang.source import Source
from rtfs_framework.orchestrator.concurrency.clock import SystemClock
from rtfs_framework.orchestrator.performing import later
from rtfs_framework.orchestrator.recording.journal import query
from rtfs_framework.orchestrator.running.resuming import Resuming
from rtfs_framework.orchestrator.session import Session
from rtfs_framework.orchestrator.working.performers import performers_of
from rtfs_framework.orchestrator.working.sessions import Sessions
from rtfs_framework.orchestrator.working.worker import Worker, WorkerTerms
from rtfs_framework.registry.catalog import Catalog
from rtfs_framework.registry.problems import Provenance
from rtfs_framework.testing.queue_crash import forked, queue_of, until

_WHO = Provenance("ticket-crash", "1", "ticket-crash")
_LEASE = 3.0
_DONE: tuple[ItemState, ...] = ("done",)
_BAD = 20
"""Every so many tickets one is answered by nobody, ever."""
_PROGRAM = """
(defn ask ^:delegation :remote "m" [x : :string] : :string "own")
(defn begun [n]
  (if (= 0 (mod n BAD))
    ^{:runtime.learning.retry {:max-retries 1 :backoff-ms 1}} (ticket (ask (str "bad " n)))
    (ticket (ask (str n)))))
(defn main [from to]
  (mapv (fn [t] (try (await t) (catch e "none"))) (mapv begun (range from to))))
"""
_CONFIG = """
[delegation]
attempts = 8
on_exhausted = "error"
# Who happens to ask for nothing but hopeless ones must not find the model left alone: that is tried elsewhere.
[health]
retry_budget = 1.0
[health.targets.remote-m]
state = "metrics-only"
[delegation.remote_providers.m]
provider = "m"
later = true
workers = true
"""


@attrs.frozen(slots=True, kw_only=True)
class Tickets:
    """What became of tickets."""

    told: int
    """Those whose program was told the right answer."""
    unkept: int
    """Those whose answer could not be kept with its item, at least once: its lease was lost, or the queue not there.

    Their programs are told it all the same, and their items may end otherwise."""
    done: int
    dead: int
    cancelled: int
    """Items by their last state, as lists show them."""
    withdrawn: int
    """Those that were cancelled while others worked."""
    asked: int
    """Tickets that the model was asked for, the hopeless ones left out."""
    keys: int
    """The keys with which it was asked for them: as many, whoever asked, and how often."""
    workers: int
    """Those of them that a worker asked for."""
    resumed: int
    """How often a producer's run was gone on with."""
    tries: int
    """How many tries the items that are done have spent beyond their first ones: by who was killed, and lost leases."""
    seconds: float
    """How long all that took."""

    def __str__(self) -> str:
        """Return what happened, for people."""
        return (
            f"{self.done} done, {self.dead} dead, {self.cancelled} cancelled in {self.seconds:.0f} s; {self.tries} "
            f"more tries than items; {self.workers} of {self.asked} asked for by workers; resumed {self.resumed} times"
        )


def tickets(module: str, own: Mapping[str, Any], *, count: int, kills: int, each: int = 4, seed: int = 0) -> Tickets:
    """Let producers and workers (`each` of both) work until all runs are told, killing `kills` of them on the way.

    Raises:
        AssertionError: It came to a stand, or a list of the queue shows other items than were placed.
    """
    chance = Random(seed)  # noqa: S311 - moments of a test
    share = -(-count // each)
    withdrawn, start = 0, time.monotonic()
    with (
        TemporaryDirectory() as folder,
        forked(module, {**own, "folder": folder}, __name__) as children,
        closing(queue_of(module, own)) as queue,
    ):
        roles = [("produce", n, n * share, min(count, (n + 1) * share)) for n in range(each)]
        roles += [("consume", n, 0, 0) for n in range(each)]
        pids = [children.start(*role) for role in roles]
        for kill in range(kills):
            least = count * (kill + 1) // (kills + 2)
            until(lambda: sum(_states(queue).values()) >= least, f"{least} tickets")  # noqa: B023 - called at once
            place = chance.randrange(len(roles))
            children.kill(pids[place])
            pids[place] = children.start(*roles[place])
            withdrawn += _withdrawn(queue)
        until(lambda: len(set(children.log("told"))) >= each, "all told", pause=0.2)
        for pid in pids:
            children.kill(pid)
        values = [value for name in set(children.log("told")) for value in json.loads(Path(folder, name).read_text())]
        asked = [line.split("|") for line in children.log("asked")]
        good = {(arg, key) for arg, key, _ in asked if not arg.startswith("bad")}
        states = _states(queue)
        return Tickets(
            told=sum(value.startswith("said") for value in values),
            unkept=len(set(children.log("unkept"))),
            done=states.get("done", 0),
            dead=states.get("dead", 0),
            cancelled=states.get("cancelled", 0),
            withdrawn=withdrawn,
            asked=len({arg for arg, _ in good}),
            keys=len({key for _, key in good}),
            workers=len({arg for arg, _, who in asked if who == "consume" and not arg.startswith("bad")}),
            resumed=len(children.log("resumed")),
            tries=sum(each.tries - 1 for each in queue.items(ItemFilter(states=_DONE, most=count))),
            seconds=time.monotonic() - start,
        )


def _states(queue: Queue) -> dict[str, int]:
    try:
        return {each.state: each.items for each in queue.counts("tickets")}
    except QueueError:  # its server may be down just now
        return {}


def _withdrawn(queue: Queue) -> int:
    """Cancel a ticket that waits, if one does; tell how many."""
    waiting: tuple[ItemState, ...] = ("queued",)
    for each in queue.items(ItemFilter(topic="tickets", states=waiting, most=1)):
        return queue.cancel(each.id) == "cancelled"
    return 0


# the processes


@attrs.frozen(slots=True)
class _Watched:
    """A queue that says which answers it did not keep, before anybody is told them."""

    queue: Queue
    say: Callable[[str, str], None]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.queue, name)

    def ack(self, lease: Lease, result: bytes = b"") -> None:
        try:
            self.queue.ack(lease, result)
        except QueueError:
            self.say("unkept", lease.item.id)
            raise


def play(module: str, own: Mapping[str, Any], log: str, role: str, number: int, start: int, end: int) -> None:
    """Do what a role does, until it is killed or has no more to do."""
    own = dict(own)
    place = _Place(module, own, Path(own.pop("folder")), Path(log), role, number)
    later.LEASE = _LEASE
    if role == "produce":
        place.produce(start, end)
    else:
        place.consume()


@attrs.frozen(slots=True)
class _Place:
    """Where one process works: its home outlives it."""

    module: str
    own: Mapping[str, Any]
    folder: Path
    log: Path
    role: str
    number: int

    @property
    def home(self) -> Path:
        return self.folder / f"{self.role}{self.number}"

    def say(self, word: str, what: str) -> None:
        handle = os.open(self.log, os.O_WRONLY | os.O_APPEND)
        try:
            os.write(handle, f"{word} {what}\n".encode())
        finally:
            os.close(handle)

    def open(self, tenant: str = "") -> Session:
        self.home.mkdir(exist_ok=True)
        (offered,) = import_module(self.module).rtfs_queues()
        entry = attrs.evolve(offered, factory=lambda given: _Watched(offered.factory(given), self.say))
        own = "".join(f"{name} = {json.dumps(value)}\n" for name, value in self.own.items())
        path = self.home / "delegation.toml"
        path.write_text(f'{_CONFIG}[queue]\nstore = "{entry.name}"\n[queues.{entry.name}]\n{own}', encoding="utf-8")
        catalog = Catalog(providers={"m": (self._model(), _WHO)}, queues={entry.name: (entry, _WHO)})
        return Session.open(catalog=catalog, config_path=path, environ={"RTFS_HOME": str(self.home)}, tenant=tenant)

    def _model(self) -> ProviderEntry:
        say, role = self.say, self.role

        class Model:
            def fingerprint(self) -> str:
                return "1"

            async def infer(self, request: InferenceRequest) -> InferenceReply:
                (arg,) = request.args
                say("asked", f"{str(arg).replace(' ', '-')}|{request.key}|{role}")
                if str(arg).startswith("bad"):
                    raise ProviderUnavailable("m", "nobody answers that", failure=FailureKind.SAFE)
                return InferenceReply(text=f"said {arg}", model="m")

            async def aclose(self) -> None:
                pass

        return ProviderEntry(
            name="m",
            summary="Answers.",
            locality=Locality.REMOTE,
            factory=lambda _given: Model(),
            idempotent=True,
            defaults={"m": {}},
        )

    def produce(self, start: int, end: int) -> None:
        """Run the program, or go on with its run; keep what it was told."""
        journal = self.home / "journal.sqlite"
        runs = query.list_runs(journal, 1) if journal.exists() else []
        name = f"told{self.number}.json"
        if not runs or runs[0].status in ("unfinished", "interrupted"):
            with self.open() as session:
                if runs:
                    self.say("resumed", name)
                    result = session.resume(Resuming(run=runs[0].id))
                else:
                    result = session.run(Source("tickets.rtfs", _PROGRAM.replace("BAD", f"{_BAD}")), (start, end))
            found = enumerate(result.to(list[object]), start)
            right = [value if value in ("none", f"said {n}") else "wrong" for n, value in found]
            (self.folder / name).write_text(json.dumps(right), encoding="utf-8")
        self.say("told", name)

    def consume(self) -> None:
        """Do tickets until the end of the world."""
        terms = WorkerTerms(concurrency=2, lease=_LEASE, grace=1.0, name=f"w{self.number}-{os.getpid()}")
        sessions = Sessions(self.open)
        with closing(sessions), closing(queue_of(self.module, self.own)) as queue:
            Worker(queue, {"tickets": performers_of(sessions)["tickets"]}, SystemClock(), terms).work()
