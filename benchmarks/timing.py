"""Timing: the median of several rounds; for a ratio, both sides take turns, so that a slow moment hits both."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from statistics import median
from time import perf_counter


def seconds(work: Callable[[], object]) -> float:
    """Return the seconds that one call takes."""
    start = perf_counter()
    work()
    return perf_counter() - start


def typical(work: Callable[[], object], rounds: int = 7) -> float:
    """Return the median seconds of a call after one warm-up."""
    work()
    return median(seconds(work) for _ in range(rounds))


def ratio(work: Callable[[], object], peer: Callable[[], object], rounds: int = 15) -> float:
    """Return the median of work/peer over rounds in which both run."""
    work(), peer()
    return median(seconds(work) / seconds(peer) for _ in range(rounds))


def process_ms(command: Sequence[str], rounds: int = 11) -> float:
    """Return the median milliseconds that a process takes from start to end."""

    def run() -> None:
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)

    return typical(run, rounds) * 1000
