"""Run the day: `python -m benchmarks.delegation_day`. `benchmarks/README.md` says how to read what it prints.

    python -m benchmarks.delegation_day                              # 20 days of 100,000 calls
    python -m benchmarks.delegation_day --variations                 # and six other worlds
    python -m benchmarks.delegation_day --calls 1000000 --seeds 1

Exit code 0, even when a bound is missed: a benchmark is no test.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

import attrs

from benchmarks.delegation_day.hosted import Policy, adaptive, always, day
from benchmarks.delegation_day.judged import Judged, judge_of, judged
from benchmarks.delegation_day.report import Found, found, shown
from benchmarks.delegation_day.world import FILE, NAMES, USUAL, VARIATIONS, Questions, Variation, World, questions


@attrs.frozen(slots=True)
class Task:
    """One day of one policy in one world."""

    policy: str
    varied: Variation
    seed: int
    calls: int
    data: Path | None

    def run(self) -> Judged:
        """Return what came of it."""
        world = World(_asked(self.data), self.varied)
        return judged(day(policy_of(self.policy), world, self.calls, self.seed), world, judge_of(world))


_READ: dict[Path | None, Questions] = {}


def _asked(data: Path | None) -> Questions:
    if data not in _READ:
        _READ[data] = questions(data)
    return _READ[data]


def policy_of(name: str) -> Policy:
    """Return the policy of a name."""
    return adaptive() if name == "adaptive" else always(name)


def main(arguments: Sequence[str] | None = None) -> int:
    """Simulate what was asked for and print it."""
    options = _options(arguments)
    try:
        from rtfs_engine_adaptive import worth  # noqa: F401 - what the day is about
    except ImportError:
        sys.stderr.write("the day needs the engine `adaptive`: pip install rtfs-engine-adaptive\n")
        return 2
    tasks = list(_tasks(options))
    done = _run(tasks, options.jobs)
    worlds = [found(str(varied), _of_world(done, varied)) for varied in dict.fromkeys(task.varied for task in tasks)]
    source = _asked(options.data).source
    sys.stdout.write(_as_json(worlds, options, source) if options.json else _as_text(worlds, options, source))
    sys.stdout.write("\n")
    return 0


def _tasks(options: argparse.Namespace) -> Iterator[Task]:
    for varied in (USUAL, *(VARIATIONS if options.variations else ())):
        seeds = options.seeds if varied == USUAL else min(options.seeds, options.variation_seeds)
        for name in ("adaptive", *NAMES):
            days = seeds if name == "adaptive" else min(seeds, options.static_seeds)
            for seed in range(days):
                yield Task(name, varied, seed, options.calls, options.data)


def _run(tasks: Sequence[Task], jobs: int) -> dict[Task, Judged]:
    """Return what came of each task, in their order; how far it is goes to stderr."""
    if jobs == 1:
        return {task: _told(task.run(), number, len(tasks)) for number, task in enumerate(tasks, start=1)}
    with ProcessPoolExecutor(jobs) as pool:
        under_way = {pool.submit(task.run): task for task in tasks}
        ended = {
            under_way[each]: _told(each.result(), number, len(tasks))
            for number, each in enumerate(as_completed(under_way), start=1)
        }
    return {task: ended[task] for task in tasks}


def _told(made: Judged, number: int, many: int) -> Judged:
    end = "\n" if number == many else ""
    sys.stderr.write(f"\r{number:,} of {many:,} days{end}")
    sys.stderr.flush()
    return made


def _of_world(done: dict[Task, Judged], varied: Variation) -> dict[str, list[Judged]]:
    rows: dict[str, list[Judged]] = {}
    for task, each in done.items():
        if task.varied == varied:
            rows.setdefault(task.policy, []).append(each)
    return rows


def _as_text(worlds: Sequence[Found], options: argparse.Namespace, source: str) -> str:
    head = f"{options.seeds} days of {options.calls:,} calls; questions: {source}"
    return "\n\n".join([head, *map(shown, worlds)])


def _as_json(worlds: Sequence[Found], options: argparse.Namespace, source: str) -> str:
    data: dict[str, Any] = {"calls": options.calls, "seeds": options.seeds, "questions": source}
    return json.dumps({**data, "worlds": [each.to_json() for each in worlds]}, indent=2)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.delegation_day", description=__doc__)
    parser.add_argument("--calls", type=int, default=100_000, help="calls a day (default: %(default)s)")
    parser.add_argument("--seeds", type=int, default=20, help="days (default: %(default)s)")
    parser.add_argument("--variations", action="store_true", help="also with 30 %% more and less of each")
    parser.add_argument(
        "--static-seeds",
        type=int,
        default=5,
        help="days of each static route, which differ little (default: %(default)s)",
    )
    parser.add_argument("--variation-seeds", type=int, default=5, help="days of each of them (default: %(default)s)")
    parser.add_argument("--data", type=Path, default=FILE, metavar="FILE", help="routing outcomes (../shared/data)")
    parser.add_argument("--jobs", type=int, default=1, help="days at once, each in a process (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="print everything as JSON")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
