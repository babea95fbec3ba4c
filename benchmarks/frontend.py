"""The front end: reading a large source, and compiling many functions."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from itertools import pairwise

from benchmarks.table import Row
from benchmarks.timing import typical
from rtfs_framework.kernel.loader import compile_source
from rtfs_framework.lang.reader.read import read_program
from rtfs_framework.lang.source import Source

_MEGABYTE = 1_000_000
_FUNCTIONS = 5_000
_ROUNDS = 3
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
    times = []
    for size in (0.25, 0.5, 1, 2):
        text = source(_RTFS, int(size * _MEGABYTE))
        times.append(typical(lambda text=text: read_program(Source("big.rtfs", text)), _ROUNDS))
    theirs = source(_PYTHON, _MEGABYTE)
    python = typical(lambda: ast.parse(theirs), _ROUNDS)
    growth = ", ".join(f"{late / early:.2f}" for early, late in pairwise(times))
    note = f"{1 / times[2]:.2f} MB/s; twice the text takes {growth} times as long (0.25 to 2 MB); Python's is ast.parse"
    yield Row(name="parse of 1 MB", value=times[2] * 1000, unit="ms", others={"python": python * 1000}, note=note)


def compile_functions() -> Iterable[Row]:
    """Yield the time to compile 5,000 functions, reading included."""
    ours = "".join(_RTFS.format(i=i) for i in range(_FUNCTIONS))
    theirs = "".join(_PYTHON.format(i=i) for i in range(_FUNCTIONS))
    value = typical(lambda: compile_source(ours), _ROUNDS)
    python = typical(lambda: compile(theirs, "big.py", "exec"), _ROUNDS)
    note = f"{value / _FUNCTIONS * 1e6:.0f} µs each, {len(ours) / 1e6:.2f} MB"
    yield Row(
        name="compile of 5,000 functions",
        value=value * 1000,
        unit="ms",
        others={"python": python * 1000},
        note=note,
    )
