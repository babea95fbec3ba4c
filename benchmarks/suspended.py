"""Memory of suspended programs: 10,000 runs that wait for their host, and 10,000 branches of one `pmap` that do.

    python -m benchmarks.suspended

What the process grew by (its resident memory) is divided by how many there are, and held against as many bare greenlets
that wait inside a function: a run keeps the stack that it has.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from greenlet import greenlet

from benchmarks.table import Row
from benchmarks.timing import Ratio
from rtfs_framework.kernel.instance import Instance
from rtfs_framework.kernel.loader import compile_source
from rtfs_framework.kernel.outcome import RequiresHosts

COUNT = 10_000
TARGET = 3.0
YARDSTICK = "a bare greenlet that waits"
_PAGE = 4096

_PROGRAMS = {
    "a call at top level": "(defn main [x] (call :ask x))",
    "a call inside a map, a fold and three functions": """
        (defn inner [x] (call :ask x))
        (defn middle [x] (reduce (fn [a y] (+ a (inner y))) 0 [x]))
        (defn main [x] (first (mapv (fn [y] (str (middle y))) [x])))""",
}
_BRANCHES = f"(defn main [x] (pmap (fn [y] (str (call :ask y))) (range {COUNT})))"


def _resident() -> int:
    """Return the resident memory of this process in bytes (Linux)."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * _PAGE


def _each(make: Callable[[int], object]) -> float:
    """Return the KiB that each of many grows the process by."""
    first = make(0)  # what the first one loads is not theirs
    gc.collect()
    before = _resident()
    kept = [make(number) for number in range(COUNT)]
    gc.collect()
    grown = _resident() - before
    del kept, first
    return grown / COUNT / 1024


def suspended() -> Iterable[Row]:
    """Yield the memory of one suspended run, or branch."""
    unit = _each(_waiting)
    for name, text in _PROGRAMS.items():
        instance = Instance(compile_source(text))
        instance.start().step()

        def one(number: int, instance: Instance = instance) -> object:
            run = instance.call("main", (number,))
            run.step()
            return run

        yield _row(f"a suspended program: {name}", _each(one) / unit)
    instance = Instance(compile_source(_BRANCHES))
    instance.start().step()
    outcome = instance.call("main", (0,)).step(concurrent=True)
    if isinstance(outcome, RequiresHosts):
        branches = outcome.branches

        def branch(_number: int) -> object:
            made = branches.start_next()
            if made is not None:
                made.step(concurrent=True)
            return made

        yield _row("a suspended branch of a pmap", _each(branch) / unit)


def _row(name: str, value: float) -> Row:
    return Row(name=name, ratio=Ratio(value), yardstick=YARDSTICK, target=TARGET, note=f"{COUNT:,} at once")


def _waiting(_number: int) -> object:
    outside = greenlet.getcurrent()
    waiting = greenlet(outside.switch)
    waiting.switch()
    return waiting


def main() -> int:
    """Print the figures."""
    for row in suspended():
        verdict = "reached" if row.met else "missed"
        sys.stdout.write(f"{row.name}: {row.ratio} of {YARDSTICK} (target {TARGET:g}x, {verdict}); {row.note}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
