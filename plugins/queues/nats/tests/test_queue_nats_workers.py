"""Three workers, as on three machines: workers and the server are killed, and the network between them is cut.

All runs are done, each is declared done once, and after each fault work goes on. `tox run -e queue-soak` does this for
ten minutes (QUEUE_SOAK: for how many seconds), and looks at how soon as much is done again as when nothing is wrong.
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
from statistics import median

import attrs
import pytest

from rtfs_framework.api import ItemFilter, QueueError, QueueSettings
from rtfs_framework.orchestrator.concurrency.clock import SystemClock
from rtfs_framework.orchestrator.recording.journal.kept import value_text
from rtfs_framework.orchestrator.session import Session
from rtfs_framework.orchestrator.working.jobs import QueuedRun, order, result_of
from rtfs_queue_nats.plugin import NatsSettings, rtfs_queues

PROGRAM = "(defn main [n] [n (reduce + (map (fn [x] (mod (* x n) 7)) (range 0 20000)))])"
LEASE = 4.0 if "QUEUE_SOAK" in os.environ else 1.0


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
        self._read, self._told, self.counted = 0, [], 0
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
        """What it said so far; each line is read once, for this is asked all the time."""
        with self.out.open("rb") as out:
            out.seek(self._read)
            lines = [line for line in out if line.endswith(b"\n")]
        self._read += sum(map(len, lines))
        self._told += map(json.loads, lines)
        return self._told


@attrs.define
class Load:
    """The machines, their server, and the runs that were ordered."""

    server: object
    machines: list
    queue: object
    item: object
    """An order; all others are like it, with another number."""
    ordered: dict = attrs.field(factory=dict)
    _done: int = 0
    calm: float = 0.0
    """How many are done in a lease when nothing is wrong."""
    back: dict = attrs.field(factory=dict)
    """By fault: in how many leases, each time, half as much was done again as when nothing is wrong."""

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
        """Return how many are declared done."""
        for machine in self.machines:
            told = machine.told
            self._done += sum(each["what"] == "done" for each in told[machine.counted :])
            machine.counted = len(told)
        return self._done

    def until(self, count):
        end = time.monotonic() + 120
        while self.done() < count:
            assert time.monotonic() < end, f"it came to a stand: {self.done()} of {count}"
            time.sleep(0.05)

    def keep_busy(self):
        """Order more, so that nobody has nothing to do for some leases."""
        for _ in range(round(max(60, 3 * self.calm)) - (len(self.ordered) - self.done())):
            self.order()

    def watch(self, seconds, enough=float("inf")):
        """Return how many leases passed until so many were done in a quarter of one, and how many were in all."""
        start, first = time.monotonic(), self.done()
        seen = [(start, first)]
        while (now := time.monotonic()) - start < seconds:
            self.keep_busy()
            count = self.done()
            seen.append((now, count))
            before = max(each for at, each in seen if at <= max(start, now - LEASE / 4))
            if count - before >= enough:
                return (now - start) / LEASE, count - first
            time.sleep(0.02)
        return seconds / LEASE, self.done() - first

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
    chance, faults = Random(0), ("kill", "cut", "freeze", "server")
    end = time.monotonic() + float(os.environ["QUEUE_SOAK"])
    load.keep_busy()
    load.until(10)
    load.calm = median(load.watch(LEASE)[1] for _ in range(5))
    while time.monotonic() < end:
        what = chance.choice(faults)
        fault(load, what, chance.choice(load.machines))
        leases, _ = load.watch(4 * LEASE, load.calm / 8)
        load.back.setdefault(what, []).append(leases)
    _settled(load)
    load.check()
    with capsys.disabled():
        print(f"\n{len(load.ordered)} runs; calm: {load.calm:g} in a lease of {LEASE:g} s; half of that again:")
        for what, leases in load.back.items():
            print(f"  {what}: {len(leases)} times, after {median(leases):.2f} leases (at most {max(leases):.2f})")
    for what, leases in load.back.items():
        assert median(leases) <= 1, f"after {what} it takes longer than a lease"


def _settled(load):
    end = time.monotonic() + 120
    while any(each.items for each in load.queue.counts("runs") if each.state in ("queued", "leased")):
        assert time.monotonic() < end, "it came to a stand"
        time.sleep(0.2)
