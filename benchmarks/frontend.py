"""The front end: reading a large source, and compiling many functions."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

from benchmarks.table import Row
from benchmarks.timing import Work, compared, ratio
from rtfs_framework.kernel.loader import compile_source, surroundings
from rtfs_framework.lang.reader.read import read_program
from rtfs_framework.lang.source import Source
from rtfs_framework.lang.views import view

_MEGABYTE = 1_000_000
_FUNCTIONS = 5_000
_ROUNDS, _OFTEN = 3, 15
_SIZES = (0.25, 0.5, 1, 2)
_THREE = "(defn square [x] (* x x))\n(defn total [xs] (reduce + (map square xs)))\n(total [1 2 3])\n"
_RTFS = '(defn scale-{i} [x y]\n  (let [z (+ x {i})] (if (> z 10) {{:ok true :value (* z y)}} [z "low {i}"])))\n\n'
_PYTHON = (
    'def scale_{i}(x, y):\n    z = x + {i}\n    return {{"ok": 1, "value": z * y}} if z > 10 else [z, "low {i}"]\n\n\n'
)


def source(template: str, size: int) -> str:
    """Return at least `size` characters of definitions."""
    parts, length, i = [], 0, 0
    while length < size:
        parts.append(template.format(i=i))
        length += len(parts[-1])
        i += 1
    return "".join(parts)


def parse() -> Iterable[Row]:
    """Yield the time to read 1 MB into forms, and how it grows from 0.25 to 2 MB."""

    def read(size: float) -> Work:
        text = source(_RTFS, int(size * _MEGABYTE))
        return lambda: read_program(Source("big.rtfs", text))

    theirs = source(_PYTHON, _MEGABYTE)
    measured = compared({str(size): read(size) for size in _SIZES}, lambda: ast.parse(theirs), rounds=_ROUNDS)
    growth = ", ".join(f"{late.value / early.value:.2f}" for early, late in pairwise(measured.values()))
    note = f"twice the text takes {growth} times as long (0.25 to 2 MB)"
    yield Row(name="parse of 1 MB", ratio=measured["1"], yardstick="ast.parse of 1 MB of Python", note=note)


def compile_functions() -> Iterable[Row]:
    """Yield the time to compile 5,000 functions, three lines, and the triage, reading included."""
    ours = "".join(_RTFS.format(i=i) for i in range(_FUNCTIONS))
    theirs = "".join(_PYTHON.format(i=i) for i in range(_FUNCTIONS))
    yield Row(
        name="compile of 5,000 functions",
        ratio=ratio(lambda: compile_source(ours), lambda: compile(theirs, "big.py", "exec"), rounds=_ROUNDS),
        yardstick="compile of the same in Python",
        target=15,
    )
    triage = Path(__file__).parents[1].joinpath("examples", "triage", "triage.rtfs").read_text(encoding="utf-8")
    generated = view(Source("triage.rtfs", triage), surroundings()).python
    yield Row(
        name="compile of the triage",
        ratio=ratio(lambda: compile_source(triage), lambda: compile(generated, "triage.py", "exec"), rounds=_OFTEN),
        yardstick="Python's compile of the code that comes out",
        target=12,
    )
    yield Row(
        name="compile of three lines",
        ratio=ratio(lambda: compile_source(_THREE), _additions, rounds=_OFTEN),
        yardstick="a loop of 1,000,000 additions in Python",
        target=4 / 55,
    )


def _additions() -> None:
    total = 0
    for number in range(1_000_000):
        total += number
