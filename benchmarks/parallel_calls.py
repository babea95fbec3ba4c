"""Parallel host calls: 1,000 calls of 50 ms, 100 at once, beside plain Python that makes them.

    python -m benchmarks.parallel_calls

The capability really sleeps, in the event loop; the whole host is on the way (authorisation, deadlines, the journal on
disk). `pmap`, and a `map` whose capability says that order does not matter, are measured in turn. Time is that of the
clock on the wall, because waiting is what is measured.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import anyio

from benchmarks.table import Row
from benchmarks.timing import compared
from rtfs_framework.api import CapabilityEntry, CapabilityRequest
from rtfs_framework.lang.source import Source
from rtfs_framework.orchestrator.running.program import LoadedProgram
from rtfs_framework.orchestrator.session import Session
from rtfs_framework.registry.catalog import Catalog
from rtfs_framework.registry.problems import Provenance

CALLS, AT_ONCE, PAUSE = 1_000, 100, 0.05
TARGET = 1.15
_ROUNDS = 5

_PROGRAM = f"""
(defn with-pmap [] (reduce + (pmap (fn [x] (call :pause x)) (range {CALLS}))))
(defn with-map [] (reduce + (map (fn [x] (call :pause x)) (range {CALLS}))))
"""
_CONFIG = f'[delegation]\nparallel = {AT_ONCE}\n\n[security]\ngrant = ["pause"]\n'


async def _pause(request: CapabilityRequest) -> int:
    await anyio.sleep(PAUSE)
    return int(str(request.args[0]))


def _catalog() -> Catalog:
    entry = CapabilityEntry(id="pause", summary="Sleeps 50 ms.", handler=_pause, order_independent=True)
    return Catalog(capabilities={"pause": (entry, Provenance("benchmarks", "0", "benchmarks"))})


def _check(program: LoadedProgram, name: str) -> None:
    value = program.call(name).value
    if value != sum(range(CALLS)):
        message = f"{name} gave {value}"
        raise AssertionError(message)


def parallel_calls() -> Iterable[Row]:
    """Yield the ratio to the same calls made by plain Python, for `pmap` and `map`, with and without the journal."""
    with ExitStack() as stack:
        works = {}
        for journal in (False, True):
            program = stack.enter_context(_program(journal=journal))
            for name in ("with-pmap", "with-map"):
                key = f"{name}, journal {'on disk' if journal else 'off'}"
                works[key] = lambda program=program, name=name: _check(program, name)  # type: ignore[misc]
        measured = compared(works, lambda: anyio.run(_plain), rounds=_ROUNDS, clock=perf_counter)
    for name, found in measured.items():
        title = f"{CALLS:,} calls of 50 ms, {AT_ONCE} at once, {name}"
        yield Row(name=title, ratio=found, yardstick="the same calls in plain Python", target=TARGET)


@contextmanager
def _program(*, journal: bool) -> Iterator[LoadedProgram]:
    with TemporaryDirectory() as folder:
        config = Path(folder, "delegation.toml")
        config.write_text(_CONFIG, encoding="utf-8")
        environ = {"RTFS_HOME": folder}
        with Session.open(config_path=config, environ=environ, catalog=_catalog(), journal=journal) as session:
            yield session.load(Source("parallel_calls.rtfs", _PROGRAM))


async def _plain() -> None:
    """Make the calls without us: a semaphore and as many tasks as calls."""
    slots = anyio.Semaphore(AT_ONCE)

    async def one() -> None:
        async with slots:
            await anyio.sleep(PAUSE)

    async with anyio.create_task_group() as group:
        for _ in range(CALLS):
            group.start_soon(one)


def main() -> int:
    """Print the ratios."""
    for row in parallel_calls():
        verdict = "reached" if row.met else "missed"
        sys.stdout.write(f"{row.name}: {row.ratio} (target {TARGET}x, {verdict})\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
