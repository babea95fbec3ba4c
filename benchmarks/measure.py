"""Measure programs: every peer's result is checked first, then all take turns, so that a slow moment hits all.

In: a program and the peers. Out: a `Comparison`, with the median of each peer's ratios to Python's time in the same
round. Python is the first peer. Time is this thread's processor time, which other processes do not
add to; a peer that works in a process of its own is held against Python by the clock on the wall.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from time import perf_counter, thread_time
from typing import Any

import attrs

from benchmarks.catalog import CannotExpressError, Program
from benchmarks.peers.contract import Peer, Work
from benchmarks.timing import Ratio

SLOW = 1.0
"""Seconds: a peer whose first run takes longer is not run again; its ratio is that one run's."""
_DEEP = 60_000
"""Python frames for the peers that recurse on Python's stack."""


@attrs.frozen(slots=True, kw_only=True)
class Cell:
    """What one peer did with one program: how many times Python's time it took, or the reason why nobody knows."""

    ratio: Ratio | None = None
    once: bool = False
    """Whether it was too slow to be run again."""
    reason: str = ""
    wrong: bool = False
    """Whether it returned another value than Python."""


@attrs.frozen(slots=True, kw_only=True)
class Comparison:
    """One program's measurements, by the peers' names."""

    program: Program
    cells: Mapping[str, Cell]

    def to_json(self) -> dict[str, Any]:
        """Return the comparison as JSON-ready data."""
        return {"name": self.program.name, "peers": {name: attrs.asdict(cell) for name, cell in self.cells.items()}}


@attrs.frozen(slots=True)
class _Time:
    """One run's seconds, by both clocks."""

    wall: float
    processor: float

    def by(self, *, wall: bool) -> float:
        return self.wall if wall else self.processor


def compare(program: Program, peers: Sequence[Peer], *, size: int, rounds: int) -> Comparison:
    """Run one program everywhere and return the times."""
    cells: dict[str, Cell] = {}
    works: dict[str, Work] = {}
    first: dict[str, _Time] = {}
    expected: Any = None
    with _room():
        for place, peer in enumerate(peers):
            try:
                work = peer.prepare(program, size)
                first[peer.name], result = _timed(work)
            except Exception as error:
                if place == 0:
                    raise
                cells[peer.name] = Cell(reason=_reason(error))
                continue
            expected = result if place == 0 else expected
            if result != expected or type(result) is not type(expected):
                cells[peer.name] = Cell(wrong=True, reason=f"returned {result!r:.60}, and Python {expected!r:.60}")
            else:
                works[peer.name] = work
        outside = {peer.name for peer in peers if peer.outside}
        cells.update(_take_turns(works, first, outside, rounds))
    return Comparison(program=program, cells={peer.name: cells[peer.name] for peer in peers})


def _take_turns(
    works: Mapping[str, Work], first: Mapping[str, _Time], outside: set[str], rounds: int
) -> dict[str, Cell]:
    """Time all in turn; the first of `works` is what the others are divided by."""
    quick = {name: work for name, work in works.items() if first[name].wall <= SLOW}
    times: dict[str, list[_Time]] = {name: [] for name in quick}
    with _settled():
        for _ in range(rounds):
            for name, work in quick.items():
                times[name].append(_timed(work)[0])
    python = times[next(iter(works))]
    cells = {}
    for name in works:
        once, wall = name not in quick, name in outside
        mine = [first[name]] * rounds if once else times[name]
        ratios = [own.by(wall=wall) / base.by(wall=wall) for own, base in zip(mine, python, strict=True)]
        cells[name] = Cell(ratio=Ratio.of(ratios), once=once)
    return cells


def _timed(work: Callable[[], Any]) -> tuple[_Time, Any]:
    wall, processor = perf_counter(), thread_time()
    result = work()
    # Some systems count processor time in coarse ticks: a run may take none.
    return _Time(perf_counter() - wall, max(thread_time() - processor, 1e-9)), result


def _reason(error: Exception) -> str:
    if isinstance(error, CannotExpressError):
        return str(error)
    return f"fails: {type(error).__name__}: {error}".splitlines()[0]


@contextmanager
def _room() -> Iterator[None]:
    """Raise Python's limit of recursion for the while."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, _DEEP))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)


@contextmanager
def _settled() -> Iterator[None]:
    """Keep the collector on, but away from what was there before: a peer's library is not another's garbage."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
