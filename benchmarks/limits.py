"""What limits cost: programs with the usual limits and with none, and recursion beside hand-written Python.

`python -m benchmarks.limits` prints a table; every number is the least of several interleaved repeats.
"""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter

from rtfs_framework.kernel.instance import Instance
from rtfs_framework.kernel.limits import OFF, Limits
from rtfs_framework.kernel.loader import compile_source

REPEATS = 9
PROGRAMS = {
    "fib(25)": "(defn fib [n] (if (< n 2) n (+ (fib (- n 1)) (fib (- n 2))))) (fib 25)",
    "accumulator loop": "(loop [i 0 sum 0] (if (< i 1000000) (recur (inc i) (+ sum i)) sum))",
    "map, filter, reduce": "(reduce + (map (fn [x] (* x x)) (filter even? (range 300000))))",
    "short maps in a map": "(reduce + (map (fn [x] (reduce + (map (fn [y] (* x y)) (range 30)))) (range 6000)))",
    "text building": '(loop [i 0 s ""] (if (< i 20000) (recur (inc i) (str s "x")) (count s)))',
    "map update": "(loop [i 0 m {}] (if (< i 100000) (recur (inc i) (assoc m (mod i 1000) i)) (count m)))",
}


def fib(n: int) -> int:
    """Hand-written."""
    return n if n < 2 else fib(n - 1) + fib(n - 2)


def total() -> int:
    """Hand-written."""
    i = found = 0
    while i < 1_000_000:
        found += i
        i += 1
    return found


PYTHON: dict[str, Callable[[], int]] = {"fib(25)": lambda: fib(25), "accumulator loop": total}


def run() -> list[tuple[str, float, float, float | None, int]]:
    """Return for each program its seconds without and with limits, those of Python if there are some, and its steps."""
    rows = []
    for name, text in PROGRAMS.items():
        off = Instance(compile_source(text, metered=False), limits=OFF)
        on = Instance(compile_source(text), limits=Limits())
        times: list[list[float]] = [[], [], []]
        steps = 0
        for _ in range(REPEATS):
            free, limited = off.start(), on.start()
            times[0].append(_seconds(free.step))
            times[1].append(_seconds(limited.step))
            steps = limited.steps
            if name in PYTHON:
                times[2].append(_seconds(PYTHON[name]))
        rows.append((name, min(times[0]), min(times[1]), min(times[2], default=None), steps))
    return rows


def _seconds(work: Callable[[], object]) -> float:
    start = perf_counter()
    work()
    return perf_counter() - start


def main() -> None:
    """Print the table."""
    print(f"{'':<22}{'off ms':>9}{'on ms':>9}{'on/off':>8}{'off/py':>8}{'on/py':>8}{'steps':>11}")
    for name, off, on, python, steps in run():
        beside = f"{off / python:8.2f}{on / python:8.2f}" if python else " " * 16
        print(f"{name:<22}{off * 1e3:9.2f}{on * 1e3:9.2f}{on / off:8.2f}{beside}{steps:11,}")


if __name__ == "__main__":
    main()
