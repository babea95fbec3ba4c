"""Kill -9 around a queue: processes put and take, are killed at random or frozen; then all is looked at. POSIX alone.

    assert crashes("acme_queue.plugin", own, kills=3, puts=50) >= 50
    assert flood("acme_queue.plugin", own, items=300, kills=3).done == 300

The queue comes from a plugin's module, so that each process makes it as a host would. Processes are forked from one
that has imported everything (a zygote, as Android calls it), and each says what it did in a line of a shared file.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from importlib import import_module
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import attrs

from rtfs_framework.api import ItemFilter, Lease, LeaseLostError, Queue, QueueError, QueueItem, QueueSettings
from rtfs_framework.orchestrator.concurrency.clock import SystemClock

_TOPIC = "work"
_SHORT_LEASE = 1.0
_MANY_TRIES = 1_000
_LONGEST = 600.0


@attrs.frozen(slots=True)
class Flood:
    """What became of a flood."""

    done: int
    """Items that are done, with the result that belongs to them."""
    lost: int
    """Items whose `put` returned and that are not there."""
    late: int
    """Items whose end was acknowledged to two leases."""
    killed: int


def crashes(module: str, own: Mapping[str, Any], *, kills: int, puts: int, seed: int = 0) -> int:
    """Kill one that puts and takes `kills` times; return how many puts were acknowledged, at least `puts`.

    Raises:
        AssertionError: Something that was acknowledged is lost, or is another one.
    """
    chance = Random(seed)  # noqa: S311 - moments of a test
    with forked(module, own) as children:
        for round_ in range(1, kills + 1):
            done = children.log("put")
            pid = children.start("both", len(done))
            least = puts * round_ // kills
            until(lambda: len(children.log("put")) >= least, "puts")  # noqa: B023 - called at once
            time.sleep(chance.random() * 0.02)
            children.kill(pid)
            _look(module, own, children.log("put"), children.log("done"))
        return len(children.log("put"))


def flood(
    module: str,
    own: Mapping[str, Any],
    *,
    items: int,
    kills: int,
    each: int = 4,
    seed: int = 0,
    meanwhile: Callable[[int], object] = lambda _: None,
) -> Flood:
    """Let producers and consumers (`each` of both) work until all items are done, killing `kills` of them on the way.

    `meanwhile` is called after each kill with its number: to do something to the server.

    Raises:
        AssertionError: It came to a stand.
    """
    chance = Random(seed)  # noqa: S311 - moments of a test
    with forked(module, own) as children, closing(queue_of(module, own)) as queue:
        share = -(-items // each)
        roles: list[tuple[str, int, int]] = [("produce", n * share, min(items, (n + 1) * share)) for n in range(each)]
        roles += [("consume", 0, 0)] * each
        pids = [children.start(*role) for role in roles]
        for kill in range(kills):
            least = items * (kill + 1) // (kills + 1)
            until(lambda: len(children.log("done")) >= least, f"{least} done")  # noqa: B023 - called at once
            place = chance.randrange(len(roles))
            children.kill(pids[place])
            pids[place] = children.start(*roles[place])
            meanwhile(kill)
        until(lambda: _count_done(queue) >= items, "all done", pause=0.2)
        for pid in pids:
            children.kill(pid)
        put, ended = set(children.log("put")), Counter(children.log("done"))
        lost = sum(_asked(queue, id_) is None for id_ in put)
        right = sum(_asked(queue, f"{number}") == f"{number}".encode() for number in range(items))
        return Flood(right, lost, sum(count > 1 for count in ended.values()), kills)


def frozen(module: str, own: Mapping[str, Any]) -> tuple[str, bytes | None]:
    """Freeze the holder of a lease beyond its end, let another one do the work, and thaw it.

    Return what the frozen one was told ("done" or "lost"), and the result that is kept.
    """
    with forked(module, own) as children, closing(queue_of(module, own)) as queue:
        queue.put(QueueItem(id="0", topic=_TOPIC, payload=b"0", most_tries=_MANY_TRIES))
        pid = children.start("hold")
        until(lambda: bool(children.log("held")), "a lease")
        os.kill(pid, signal.SIGSTOP)
        leases: list[Lease] = []
        until(lambda: _leased(queue, leases), "the end of the lease")
        queue.ack(leases[0], b"of the one awake")
        os.kill(pid, signal.SIGCONT)
        until(lambda: bool(children.log("done") or children.log("lost")), "the thawed one's word")
        return "done" if children.log("done") else "lost", _asked(queue, "0")


def _leased(queue: Queue, leases: list[Lease]) -> bool:
    leases.extend(queue.lease(_TOPIC, "awake", 600.0))
    return bool(leases)


def _asked(queue: Queue, id_: str) -> bytes | None:
    status = queue.get(id_)
    return None if status is None else status.result or b""


def _count_done(queue: Queue) -> int:
    try:
        return sum(each.items for each in queue.counts(_TOPIC) if each.state == "done")
    except QueueError:  # its server may be down just now
        return 0


def _look(module: str, own: Mapping[str, Any], put: Sequence[str], ended: Sequence[str]) -> None:
    with closing(queue_of(module, own)) as queue:
        there = {each.id: each for each in queue.items(ItemFilter(topic=_TOPIC, most=10**9))}
        for id_ in put:
            _check(id_ in there, f"item {id_} of {len(put)} is lost")
        for id_ in ended:
            status = queue.get(id_)
            _check(status is not None and status.state == "done", f"item {id_} was done, and is not")
            _check(status is not None and status.result == id_.encode(), f"item {id_} is damaged")
        _check(len(there) <= len(put) + 1, "items are there that nobody put")


def until(holds: Callable[[], bool], what: str, pause: float = 0.01) -> None:
    """Wait until something holds.

    Raises:
        AssertionError: It does not for ten minutes.
    """
    end = time.monotonic() + _LONGEST
    while not holds():
        _check(time.monotonic() < end, f"it came to a stand: no {what}")
        time.sleep(pause)


def _check(holds: bool, message: str) -> None:
    if not holds:
        raise AssertionError(message)


def queue_of(module: str, own: Mapping[str, Any]) -> Queue:
    """Return the queue of a plugin's module."""
    (entry,) = import_module(module).rtfs_queues()
    made: Queue = entry.factory(QueueSettings(clock=SystemClock(), own=entry.settings(**own)))
    return made


# the processes


@attrs.define(slots=True)
class Children:
    """Processes of roles, and what they have said."""

    zygote: subprocess.Popen[str]
    log_file: Path
    pids: set[int] = attrs.field(factory=set)

    def start(self, role: str, *given: int) -> int:
        """Start a process; return its id."""
        assert self.zygote.stdin is not None  # noqa: S101 - they are pipes
        assert self.zygote.stdout is not None  # noqa: S101
        self.zygote.stdin.write(json.dumps([role, *given]) + "\n")
        self.zygote.stdin.flush()
        pid = int(self.zygote.stdout.readline())
        self.pids.add(pid)
        return pid

    def kill(self, pid: int) -> None:
        """Kill a process with -9."""
        os.kill(pid, signal.SIGKILL)
        self.pids.discard(pid)

    def log(self, word: str) -> list[str]:
        """Return what was said with a word, in order."""
        lines = self.log_file.read_text(encoding="utf-8").splitlines(keepends=True)
        return [line.split()[1] for line in lines if line.startswith(f"{word} ") and line.endswith("\n")]


@contextmanager
def forked(module: str, own: Mapping[str, Any], play: str = "rtfs_framework.testing.queue_crash") -> Iterator[Children]:
    """Yield what starts processes that can be killed; `play` is the module that knows the roles (see `zygote`)."""
    with TemporaryDirectory() as folder:
        log = Path(folder, "log")
        log.touch()
        given = ", ".join(map(repr, (module, json.dumps(own), str(log), play)))
        code = f"from rtfs_framework.testing.queue_crash import zygote; zygote({given})"
        with subprocess.Popen(  # noqa: S603 - ourselves
            [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as process:
            children = Children(process, log)
            try:
                yield children
            finally:
                for pid in list(children.pids):
                    children.kill(pid)
                process.kill()


def zygote(module: str, own: str, log: str, play: str) -> None:
    """Fork off a process for each line that says its role, and say its id: what the first child does.

    The module `play` has `play(module, own, log, role, *given)`, which is what the process does.
    """
    import_module(module)
    plays = import_module(play).play
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them
    for line in sys.stdin:
        pid = os.fork()
        if not pid:
            plays(module, json.loads(own), log, *json.loads(line))
            while _is_wanted():  # until it is killed: so its id is nobody else's before
                time.sleep(0.1)
            os._exit(0)
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()


def play(module: str, own: Mapping[str, Any], log: str, role: str, *given: int) -> None:
    """Do what a role does, until it is killed or has no more to do."""
    lines = os.open(log, os.O_WRONLY | os.O_APPEND)

    def say(word: str, id_: str) -> None:
        os.write(lines, f"{word} {id_}\n".encode())

    with closing(queue_of(module, own)) as queue:
        _ROLES[role](queue, say, *given)


def _is_wanted() -> bool:
    """Tell whether the zygote is there."""
    return os.getppid() != 1


def _produce(queue: Queue, say: Callable[[str, str], None], start: int, end: int) -> None:
    for number in range(start, end):
        item = QueueItem(
            id=f"{number}", topic=_TOPIC, payload=f"{number}".encode(), tenant=f"t{number % 3}", most_tries=_MANY_TRIES
        )
        while not _tried(lambda: queue.put(item)):  # noqa: B023 - called at once
            time.sleep(0.05)
        say("put", item.id)


def _consume(queue: Queue, say: Callable[[str, str], None], *_: int) -> None:
    while _is_wanted():
        _tried(lambda: queue.wait([_TOPIC], 1.0))
        _tried(lambda: _take(queue, say))


def _take(queue: Queue, say: Callable[[str, str], None]) -> None:
    for lease in queue.lease(_TOPIC, f"{os.getpid()}", _SHORT_LEASE, most=3):
        say(_ended(queue, lease, lease.item.payload), lease.item.id)


def _ended(queue: Queue, lease: Lease, result: bytes) -> str:
    try:
        queue.ack(lease, result)
    except LeaseLostError:
        return "lost"
    return "done"


def _both(queue: Queue, say: Callable[[str, str], None], start: int) -> None:
    number = start
    while _is_wanted():
        _produce(queue, say, number, number + 1)
        _take(queue, say)
        number += 1


def _hold(queue: Queue, say: Callable[[str, str], None]) -> None:
    (lease,) = queue.lease(_TOPIC, "frozen", _SHORT_LEASE)
    say("held", lease.item.id)
    time.sleep(_SHORT_LEASE / 2)
    say(_ended(queue, lease, b"of the frozen one"), lease.item.id)


def _tried(work: Callable[[], object]) -> bool:
    """Do something, unless the queue is down just now."""
    try:
        work()
    except QueueError:
        time.sleep(0.05)
        return False
    return True


_ROLES: Mapping[str, Callable[..., None]] = {"produce": _produce, "consume": _consume, "both": _both, "hold": _hold}
