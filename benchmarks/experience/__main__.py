"""Run it: `python -m benchmarks.experience`. `benchmarks/README.md` says how to read what it prints.

    python -m benchmarks.experience                        # with the embedder wordllama, if it is installed
    python -m benchmarks.experience --embedder ""          # functions are alike by their words
    python -m benchmarks.experience --seeds 10 --json

Each new function is called in a host that has seen many calls of the known ones, once with a layer of L3 and once
without, from the same seeds. Exit code 0, even when what is wanted is missed: a benchmark is no test.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from statistics import fmean
from typing import Any

import attrs

from benchmarks.experience.families import ERRORS, INVALID, NAMES, NEW, PRICES, TOKENS, Task
from benchmarks.experience.hosted import Setup, chosen, expected_log_seconds

NEAR, WINDOW = 0.98, 100
"""Good decisions: the mean worth of so many in a row is at least this share of the best model's."""
WANTED = 0.5
KINDS = ("alike", "unlike", "misleading")


@attrs.frozen(slots=True, kw_only=True)
class Found:
    """What came of the calls of one new function."""

    warm: int
    """Calls before the first window of good decisions; all of them where there is none."""
    never: bool
    regret: float
    """The worth that was lost against the best model, all calls together."""
    near: float
    """The share of calls that went to a model within 2 % of the best."""


def worths_of(task: Task) -> Mapping[str, float]:
    """Return what each model is worth for a function: what `adaptive` would say if it knew the true expectations."""
    from rtfs_engine_adaptive.settings import Weights
    from rtfs_engine_adaptive.worth import Expected, worths

    qualities = task.qualities()
    expected = [
        Expected(
            success=(1.0 - ERRORS) * (1.0 - INVALID),
            validity=1.0 - INVALID,
            feedback=qualities[name],
            cost=PRICES[name] * TOKENS / 1e6,
            latency=expected_log_seconds(name),
        )
        for name in NAMES
    ]
    return dict(zip(NAMES, worths(expected, Weights(feedback=6.0)), strict=True))


def judged(task: Task, models: Sequence[str]) -> Found:
    """Return what a sequence of decisions was worth."""
    worths = worths_of(task)
    best = max(worths.values())
    got = [worths.get(name, 0.0) for name in models]
    total, warm = sum(got[:WINDOW]), None
    for start in range(len(got) - WINDOW + 1):
        if start:
            total += got[start + WINDOW - 1] - got[start - 1]
        if total >= NEAR * best * WINDOW:
            warm = start
            break
    return Found(
        warm=len(got) if warm is None else warm,
        never=warm is None,
        regret=sum(best - each for each in got),
        near=fmean(each >= NEAR * best for each in got),
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Simulate what was asked for and print it."""
    options = _options(arguments)
    missing = [name for name in ("rtfs_engine_adaptive", "rtfs_cache_l3") if find_spec(name) is None]
    if missing:
        sys.stderr.write(f"this needs {' and '.join(name.replace('_', '-') for name in missing)}: pip install them\n")
        return 2
    found: dict[str, dict[bool, list[Found]]] = {task.name: {True: [], False: []} for task in NEW}
    tasks = [task for task in NEW if task.kind in options.kinds]
    for seed in range(options.seeds):
        for experience in (False, True):
            setup = Setup(experience=experience, embedder=options.embedder)
            models = chosen(setup, tasks, before=options.before, calls=options.calls, seed=seed)
            for task in tasks:
                found[task.name][experience].append(judged(task, models[task.name]))
        sys.stderr.write(f"\r{seed + 1} of {options.seeds} seeds{chr(10) if seed + 1 == options.seeds else ''}")
        sys.stderr.flush()
    rows = [_row(task, found[task.name]) for task in tasks]
    sums = [_sum(kind, [found[task.name] for task in tasks if task.kind == kind]) for kind in options.kinds]
    if options.json:
        data = {**vars(options), "functions": rows, "kinds": sums}
        sys.stdout.write(json.dumps(data, indent=2) + "\n")
    else:
        sys.stdout.write(_as_text(rows, sums, options) + "\n")
    return 0


def _row(task: Task, of: Mapping[bool, Sequence[Found]]) -> dict[str, Any]:
    return {"name": task.name, **_sum(task.kind, [of])}


def _sum(kind: str, many: Sequence[Mapping[bool, Sequence[Found]]]) -> dict[str, Any]:
    found: dict[str, Any] = {"kind": kind}
    for experience, said in ((False, "without"), (True, "with")):
        each = [one for of in many for one in of[experience]]
        found[said] = {
            "warm": fmean(one.warm for one in each),
            "never": sum(one.never for one in each),
            "regret": fmean(one.regret for one in each),
            "near": fmean(one.near for one in each),
            "runs": len(each),
        }
    for name in ("warm", "regret"):
        before = found["without"][name]
        found[f"{name}_ratio"] = found["with"][name] / before if before else None
    return found


def _as_text(rows: Sequence[dict[str, Any]], sums: Sequence[dict[str, Any]], options: argparse.Namespace) -> str:
    calls = f"{options.before:,} calls of each known function, then {options.calls:,} of the new one"
    lines = [
        f"{options.seeds} seeds, {calls}; embedder: {options.embedder or 'none (words)'}",
        "warm-up: calls until 100 decisions in a row are within 2 % of the best model; regret: worth lost in all calls",
        f"{'new function':<20} {'kind':<11} {'warm-up':>16} {'ratio':>6} {'regret':>16} {'ratio':>6} {'near best':>15}",
    ]
    for row in (*rows, *sums):
        without, with_ = row["without"], row["with"]
        near = f"{without['near']:.0%} -> {with_['near']:.0%}"
        lines.append(
            f"{row.get('name', 'all'):<20} {row['kind']:<11} {without['warm']:>7,.0f} ->{with_['warm']:>6,.0f} "
            f"{_ratio(row['warm_ratio'])} {without['regret']:>7.1f} ->{with_['regret']:>6.1f} "
            f"{_ratio(row['regret_ratio'])} {near:>15}"
        )
    for each in sums:
        if each["kind"] == "alike":
            ratio = each["warm_ratio"]
            met = ratio is not None and ratio <= WANTED
            lines.append(f"{'met   ' if met else 'MISSED'} warm-up for what is alike at most halved: {ratio}")
        never = [each[said]["never"] for said in ("without", "with")]
        runs = each["without"]["runs"]
        lines.append(f"{each['kind']}: never warm in {never[0]} of {runs} runs without, {never[1]} with")
    return "\n".join(lines)


def _ratio(value: float | None) -> str:
    return f"{'-':>6}" if value is None else f"{value:>6.2f}"


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.experience", description=__doc__)
    usual = "wordllama" if find_spec("rtfs_embedder_wordllama") else ""
    parser.add_argument("--seeds", type=int, default=3, help="runs of each new function (default: %(default)s)")
    parser.add_argument("--before", type=int, default=1_600, help="calls of each known function (default: %(default)s)")
    parser.add_argument("--calls", type=int, default=800, help="calls of the new one (default: %(default)s)")
    parser.add_argument("--embedder", default=usual, help="its name, '' for none (default: %(default)s)")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS), help="of new functions")
    parser.add_argument("--json", action="store_true", help="print everything as JSON")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
