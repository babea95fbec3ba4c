"""How one session serves a process that lives long: pauses of the caller's event loop, and memory over many runs.

    python -m benchmarks.long_lived --runs 100000        # memory; a call of the host in every run
    python -m benchmarks.long_lived --pauses 200         # tasks that compile, compute and call at once
    python -m benchmarks.long_lived --pauses 200 --freeze  # after gc.freeze(), as servers do

Pauses are told beside those of the same loop while as many tasks only sleep and a plain thread computes: what the
machine and Python's lock do by themselves. Python's cyclic collector stops every thread while it works; how long it did
at most is told, too. The journal is on disk, in a folder that is gone afterwards.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import threading
import time
from collections.abc import Awaitable, Iterator
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory

from rtfs_framework.api import CapabilityEntry, CapabilityRequest
from rtfs_framework.lang.source import Source
from rtfs_framework.orchestrator.session import Session
from rtfs_framework.registry.catalog import Catalog
from rtfs_framework.registry.problems import Provenance

_ASKING = "(defn main [n] (+ 1 (call :echo n)))"
_COMPUTING = "(defn main [n] (loop [i 0 t 0] (if (< i 60000) (recur (inc i) (+ t i)) (+ t (call :echo n)))))"
_CONFIG = '[security]\ngrant = ["echo"]\n'
_TICK = 0.001


async def _echo(request: CapabilityRequest) -> object:
    await asyncio.sleep(0.001)
    return request.args[0]


@contextlib.contextmanager
def _session() -> Iterator[Session]:
    entry = CapabilityEntry(id="echo", summary="Gives its argument back.", handler=_echo)
    catalog = Catalog(capabilities={"echo": (entry, Provenance("benchmarks", "0", "benchmarks"))})
    with TemporaryDirectory() as folder:
        config = Path(folder, "delegation.toml")
        config.write_text(_CONFIG, encoding="utf-8")
        with Session.open(config_path=config, catalog=catalog, environ={"RTFS_HOME": folder}) as session:
            yield session


def _resident() -> float:
    """Return the MiB of memory that the process holds."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * 4096 / (1 << 20)


def memory(runs: int) -> None:
    """Print what the process holds after a tenth of the runs, two tenths, and so on."""
    with _session() as session:
        source = Source("ask.rtfs", _ASKING)
        for number in range(1, runs + 1):
            assert session.run(source, (number,)).value == number + 1
            if number % max(1, runs // 10) == 0:
                gc.collect()
                print(f"{number:>8} runs  {_resident():7.1f} MiB  {len(gc.get_objects()):>8} objects", flush=True)


async def _ticks(until: asyncio.Event) -> list[float]:
    """Return how many milliseconds later than asked each turn of the loop came."""
    late = []
    while not until.is_set():
        before = time.perf_counter()
        await asyncio.sleep(_TICK)
        late.append((time.perf_counter() - before - _TICK) * 1000)
    return late


async def _with_ticks(work: Awaitable[None]) -> list[float]:
    done = asyncio.Event()
    ticks = asyncio.create_task(_ticks(done))
    await work
    done.set()
    return await ticks


async def _served(session: Session, tasks: int) -> None:
    async def one(task: int) -> None:
        for turn in range(5):
            text = f"{_COMPUTING} ; {task} {turn}"  # a text of its own, so that each is compiled
            result = await session.run_async(Source("compute.rtfs", text), (turn,))
            assert result.value == 1799970000 + turn

    await asyncio.gather(*map(one, range(tasks)))


async def _idle(seconds: float, tasks: int) -> None:
    stop = threading.Event()

    def compute() -> None:
        while not stop.is_set():
            sum(range(1000))

    thread = threading.Thread(target=compute)
    thread.start()
    await asyncio.gather(*(asyncio.sleep(seconds) for _ in range(tasks)))
    stop.set()
    thread.join()


@contextlib.contextmanager
def _collections() -> Iterator[list[float]]:
    """Collect how many milliseconds each run of Python's cyclic collector takes."""
    took, begun = [0.0], [0.0]

    def look(phase: str, _: object) -> None:
        now = time.perf_counter() * 1000
        if phase == "stop":
            took.append(now - begun[0])
        begun[0] = now

    gc.callbacks.append(look)
    try:
        yield took
    finally:
        gc.callbacks.remove(look)


def pauses(tasks: int, *, freeze: bool) -> None:
    """Print the pauses of a loop while a session serves it, and while a plain thread computes."""
    with _session() as session, _collections() as took:
        if freeze:
            gc.collect()
            gc.freeze()
        started = time.perf_counter()
        served = asyncio.run(_with_ticks(_served(session, tasks)))
        seconds = time.perf_counter() - started
    plain = asyncio.run(_with_ticks(_idle(seconds, tasks)))
    for name, late in ((f"{tasks} tasks, 5 runs each", served), ("a plain thread computes", plain)):
        parts = quantiles(late, n=1000)
        shown = f"median {parts[499]:.2f} ms, 99 % {parts[989]:.2f}, 99.9 % {parts[998]:.2f}, most {max(late):.2f}"
        print(f"{name:<26} {shown}")
    print(f"{'one garbage collection':<26} most {max(took):.2f} ms")


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=0, help="runs over which memory is measured")
    parser.add_argument("--pauses", type=int, default=0, metavar="TASKS", help="tasks that are served at once")
    parser.add_argument("--freeze", action="store_true", help="keep what is there at the start from the collector")
    chosen = parser.parse_args()
    if not chosen.runs and not chosen.pauses:
        parser.error("say what to measure: --runs 100000, --pauses 200")
    if chosen.runs:
        memory(chosen.runs)
    if chosen.pauses:
        pauses(chosen.pauses, freeze=chosen.freeze)


if __name__ == "__main__":
    main()
