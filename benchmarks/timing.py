"""Timing: how many times as long something takes as its yardstick, both measured in turn in the same run.

A time alone says nothing on a shared machine. In each round both sides run; a round gives one ratio; the median of the
rounds is the result, and half the distance between their quartiles is its spread. Time is processor time, which other
work on the machine does not add to, unless one side works in another process or waits.
"""

from __future__ import annotations

import gc
import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from statistics import median, quantiles
from time import process_time

import attrs

Clock = Callable[[], float]
Work = Callable[[], object]


@attrs.frozen(slots=True)
class Ratio:
    """What was measured: `value` times the yardstick, give or take `spread` of them."""

    value: float
    spread: float = 0.0

    @classmethod
    def of(cls, rounds: Sequence[float]) -> Ratio:
        """Return the median of the rounds' ratios and half the distance between their quartiles."""
        low, middle, high = quantiles(rounds, n=4) if len(rounds) > 1 else [rounds[0]] * 3
        return cls(middle, (high - low) / 2)

    def __str__(self) -> str:
        return f"{self.value:.2f}x"


def taken(work: Work, clock: Clock = process_time) -> float:
    """Return the seconds that one call takes; never nothing, as some clocks tick coarsely."""
    start = clock()
    work()
    return max(clock() - start, 1e-9)


def compared(
    works: Mapping[str, Work], yardstick: Work, *, rounds: int = 15, clock: Clock = process_time
) -> dict[str, Ratio]:
    """Return how many times as long each work takes as the yardstick; all run in turn, once before it counts."""
    yardstick()
    for work in works.values():
        work()
    gc.collect()
    found: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        unit = taken(yardstick, clock)
        for name, work in works.items():
            found[name].append(taken(work, clock) / unit)
    return {name: Ratio.of(ratios) for name, ratios in found.items()}


def ratio(work: Work, yardstick: Work, *, rounds: int = 15, clock: Clock = process_time) -> Ratio:
    """Return how many times as long `work` takes as the yardstick."""
    return compared({"": work}, yardstick, rounds=rounds, clock=clock)[""]


def command(words: Sequence[str], environ: Mapping[str, str]) -> float:
    """Return the processor seconds, the system's included, of a process from its start to its end."""
    process = subprocess.Popen(words, env=environ, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, words)
    return usage.ru_utime + usage.ru_stime


def commands(
    words: Mapping[str, Callable[[int], Sequence[str]]], environ: Mapping[str, str], *, rounds: int = 15
) -> dict[str, Ratio]:
    """Return how many times the processor time of the first command each other takes, all in turn.

    Each command is a function of the round's number. The first round fills caches and does not count.
    """
    yardstick, *others = words
    found: dict[str, list[float]] = {name: [] for name in others}
    for number in range(rounds + 1):
        # Two of the quick one, one on each side of the others: it is the one that noise hurts most.
        unit = command(words[yardstick](number), environ)
        taken = {name: command(words[name](number), environ) for name in others}
        unit = median((unit, command(words[yardstick](number), environ)))
        if number:
            for name, seconds in taken.items():
                found[name].append(seconds / unit)
    return {name: Ratio.of(ratios) for name, ratios in found.items()}
