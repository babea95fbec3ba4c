"""Three workers, as on three machines: workers and the server are killed, and the network between them is cut.

All runs are done, each is declared done once, and after each fault work goes on. `tox run -e queue-soak` does this for
ten minutes (QUEUE_SOAK: for how many seconds), and looks at how long nothing was done.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import closing, suppress
from random import Random
from secrets import token_hex

import attrs
import pytest

from rtfs_framework.api import ItemFilter, QueueError, QueueSettings
from rtfs_framework.orchestrator.concurrency.clock import SystemClock
from rtfs_framework.orchestrator.recording.journal.kept import value_text
from rtfs_framework.orchestrator.session import Session
from rtfs_framework.orchestrator.working.jobs import QueuedRun, order, result_of
from rtfs_queue_nats.plugin import NatsSettings, rtfs_queues

PROGRAM = "(defn main [n] [n (reduce + (map (fn [x] (mod (* x n) 7)) (range 0 20000)))])"
LEASE = 1.0


class Machine:
    """A worker with its own home and its own wire to the server."""

    def __init__(self, folder, wire):
        self.folder = folder
        folder.mkdir()
        self.wire = wire
        self.out = folder / "out.jsonl"
        config = f'[queue]\nstore = "nats"\n[queues.nats]\nurl = "{self.wire.url}"\ntimeout = 2\n'
        (folder / "worker.toml").write_text(config, encoding="utf-8")
        self.process = None
        self.start()

    def start(self):
        code = "from rtfs_framework.cli.main import main; main()"
        options = ("--config", "worker.toml", "--lease", str(LEASE), "--concurrency", "2", "--grace", "5", "--json")
        environ = {**os.environ, "RTFS_HOME": str(self.folder / "home"), "RTFS_TRUST": "1"}
        with self.out.open("ab") as out:
            command = [sys.executable, "-c", code, "worker", *options]
            self.process = subprocess.Popen(
                command, cwd=self.folder, env=environ, stdout=out, stderr=subprocess.DEVNULL
            )

    def kill(self):
        self.process.kill()
        self.process.wait()

    @property
    def told(self):
        lines = self.out.read_text(encoding="utf-8").splitlines(keepends=True)
        return [json.loads(line) for line in lines if line.endswith("\n")]


@attrs.define
class Load:
    """The machines, their server, and the runs that were ordered."""

    server: object
    machines: list
    queue: object
    item: object
    """An order; all others are like it, with another number."""
    ordered: dict = attrs.field(factory=dict)
    after: str = ""
    """The fault of which the effect is looked at now."""
    worst: dict = attrs.field(factory=dict)
    """By fault: for how long nothing was done."""
    last: float = attrs.field(factory=time.monotonic)
    _seen: int = 0

    def order(self):
        number = len(self.ordered)
        job = attrs.evolve(QueuedRun.of_bytes(self.item.payload), args=value_text((number,)))
        item = attrs.evolve(self.item, id=token_hex(16), payload=job.to_bytes())
        while True:
            with suppress(QueueError):
                self.queue.put(item)
                break
            time.sleep(0.05)
        self.ordered[item.id] = f"[{number} "

    def done(self):
        """Return how many are declared done, and note for how long none was."""
        count = sum(len([1 for each in machine.told if each["what"] == "done"]) for machine in self.machines)
        now = time.monotonic()
        self.worst[self.after] = max(self.worst.get(self.after, 0.0), now - self.last)
        if count > self._seen:
            self._seen, self.last = count, now
        return count

    def until(self, count):
        end = time.monotonic() + 120
        while self.done() < count:
            assert time.monotonic() < end, f"it came to a stand: {self.done()} of {count}"
            time.sleep(0.05)

    def check(self):
        declared = Counter(each["id"] for machine in self.machines for each in machine.told if each["what"] == "done")
        twice = {id_: count for id_, count in declared.items() if count > 1}
        states = Counter(each.state for each in self.queue.items(ItemFilter(topic="runs", most=10**9)))
        assert (states, twice) == ({"done": len(self.ordered)}, {})
        for id_, start in self.ordered.items():
            assert result_of(self.queue.get(id_).result)["text"].startswith(start)


@pytest.fixture
def load(own_server, wire_to, tmp_path):
    server = own_server()
    machines = [Machine(tmp_path / f"machine{number}", wire_to(server.port)) for number in range(3)]
    (entry,) = rtfs_queues()
    own = NatsSettings(url=server.url, timeout=2.0)
    with (
        closing(entry.factory(QueueSettings(clock=SystemClock(), own=own))) as queue,
        Session.open(environ={"RTFS_HOME": str(tmp_path / "home")}, journal=False) as session,
    ):
        yield Load(server, machines, queue, order(session, PROGRAM, (0,), most_tries=100))
        for each in machines:
            each.kill()


def fault(load, what, machine):
    """Do something bad, and undo it."""
    if what == "kill":
        machine.kill()
        machine.start()
    elif what == "cut":
        machine.wire.cut()
        time.sleep(LEASE * 1.5)
        machine.wire.mend()
    elif what == "freeze":
        machine.process.send_signal(signal.SIGSTOP)
        time.sleep(LEASE * 1.5)
        machine.process.send_signal(signal.SIGCONT)
    else:
        load.server.kill()
        time.sleep(0.2)
        load.server.start()


def test_workers_and_the_server_are_killed_and_cut_off(load):
    for _ in range(30):
        load.order()
    load.until(2)
    for machine, what in zip(load.machines, ("kill", "cut", "server"), strict=True):
        fault(load, what, machine)
    _settled(load)
    load.check()


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.skipif("QUEUE_SOAK" not in os.environ, reason="`tox run -e queue-soak`")
def test_ten_minutes_of_faults(load, capsys):
    chance, faults = Random(0), Counter()
    end = time.monotonic() + float(os.environ["QUEUE_SOAK"])
    load.until(0)
    while time.monotonic() < end:
        for _ in range(20):
            load.order()
        load.until(len(load.ordered) - 30 - faults["kill"] * 2)
        what = chance.choice(("kill", "cut", "freeze", "server"))
        load.after, load.last = what, time.monotonic()
        faults[what] += 1
        fault(load, what, chance.choice(load.machines))
    _settled(load)
    load.check()
    with capsys.disabled():
        worst = {what: round(seconds, 1) for what, seconds in load.worst.items() if what}
        print(f"\n{len(load.ordered)} runs, faults {dict(faults)}; seconds without any done: {worst}, lease {LEASE:g}")


def _settled(load):
    end = time.monotonic() + 120
    while any(each.items for each in load.queue.counts("runs") if each.state in ("queued", "leased")):
        assert time.monotonic() < end, "it came to a stand"
        load.done()
        time.sleep(0.2)
