"""The judge of what limits promise: programs as JSON lines in, what each took out, measured from outside.

Every program runs in a process of its own (a fork), whose processor time and memory its parent is told by the system.
Time is counted in seconds of a processor on which a million additions of Python take `NORMAL` seconds, and the run's
own clock is the processor's, too: so a verdict does not depend on how fast or how busy a machine is.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from typing import Any

from rtfs_framework.kernel.instance import Instance
from rtfs_framework.kernel.limits import Limits
from rtfs_framework.kernel.loader import compile_source
from rtfs_framework.kernel.purehost import PureHost
from rtfs_framework.lang.errors import RtfsError
from rtfs_framework.orchestrator.concurrency.deadlines import Deadlines

NORMAL = 0.055
OVER_SECONDS = 1.0
"""Seconds beyond the limit that a run may take."""
OVER_MEMORY = 1.5
"""Times the limit that a run may take of memory."""
_HUNG = 60
"""Seconds after which a process is ended by the system."""
_MOST_BYTES = 6 << 30


def yardstick() -> float:
    """Return how many seconds this processor takes for one of a usual one."""
    best = 9e9
    for _ in range(5):
        start = time.process_time()
        total = 0
        for i in range(1_000_000):
            total += i
        best = min(best, time.process_time() - start)
    return best / NORMAL


class ProcessorClock:
    """Processor time of this process in seconds of a usual processor."""

    def __init__(self, scale: float) -> None:
        self._scale = scale

    def monotonic(self) -> float:
        """Return the time."""
        return time.process_time() / self._scale


def run(text: str, limits: Limits, scale: float) -> str:
    """Return what came of a program; only errors of the language may."""
    deadlines = Deadlines(ProcessorClock(scale), limits.seconds)  # type: ignore[arg-type]
    try:
        with deadlines.compiling() as watch:
            artifact = compile_source(text, watch=watch)
        PureHost().finish(Instance(artifact, limits=limits, watches=deadlines).start())
    except RtfsError as error:
        return f"ok {type(error).__name__}: {error}"[:200]
    except BaseException as error:  # noqa: BLE001 - what this is for
        return f"{type(error).__name__}: {error}"[:300]
    return "ok"


def held() -> int:
    """Return the MiB that a process forked off here has from the start.

    What the system tells of this process itself is no measure: it counts the one that started it, which may be larger.
    """
    child = os.fork()
    if not child:
        os._exit(0)
    return os.wait4(child, 0)[2].ru_maxrss >> 10


def measured(text: str, limits: Limits, scale: float) -> dict[str, Any]:
    """Run a program in a process of its own and tell what it took, and what is wrong with that."""
    before = held()
    end, begin = os.pipe()
    child = os.fork()
    if not child:
        resource.setrlimit(resource.RLIMIT_AS, (_MOST_BYTES, _MOST_BYTES))
        most = int(_HUNG * scale) + 1
        resource.setrlimit(resource.RLIMIT_CPU, (most, most))
        os.write(begin, run(text, limits, scale).encode("utf-8", "replace"))
        os._exit(0)
    os.close(begin)
    _, status, used = os.wait4(child, 0)
    with os.fdopen(end, encoding="utf-8") as answered:
        verdict = answered.read() or f"the process ended with status {status}"
    seconds = (used.ru_utime + used.ru_stime) / scale
    megabytes = (used.ru_maxrss >> 10) - before
    wrong = [] if verdict.startswith("ok") else [verdict]
    if seconds > (limits.seconds or 0) + OVER_SECONDS:
        wrong.append(f"{seconds:.1f} seconds")
    if megabytes > OVER_MEMORY * (limits.memory or 0) / (1 << 20):
        wrong.append(f"{megabytes} MiB")
    return {"seconds": round(seconds, 2), "megabytes": megabytes, "verdict": verdict, "wrong": wrong}


def main() -> None:
    """Judge the programs of standard input; the first line has the limits."""
    limits = Limits(**json.loads(sys.stdin.readline()))
    scale = yardstick()
    run('(count (re-seq "a" "ab"))', limits, scale)  # what is imported at first use is no program's
    for line in sys.stdin:
        print(json.dumps(measured(json.loads(line), limits, scale)), flush=True)
