"""Cold starts with and without warm-ups: simulated days with busy hours, chains and bursts; real engine, real fold.

    python -m benchmarks.warming [--seeds 20] [--days 6] [--json]

A target is warm while it was asked, or warmed, within the horizon; a call to one that is not is a cold start. A warm-up
is wasted when nobody asks within the horizon after it. The first days are for learning, the last one is measured, with
and without warm-ups, on the same calls. What is warm, and what may still be warmed, is the host's own bookkeeping
(`performing/warming.py: Heat`). Nobody knows the day's pattern but the code that draws it.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from random import Random
from statistics import mean
from typing import Any

import attrs

from rtfs_framework.api import Candidate, EngineSettings, ExecTarget, LocalModel, RemoteModel
from rtfs_framework.api.learning import Outcome
from rtfs_framework.orchestrator.performing.warming import Context, Heat

HORIZON = 300.0
EVERY = 60.0
_HOUR, _DAY = 3600.0, 86_400.0

CLASSIFY, DRAFT, REVIEW, NIGHT, RARE = (
    LocalModel("classify"),
    RemoteModel("draft"),
    RemoteModel("review"),
    LocalModel("night"),
    RemoteModel("rare"),
)
TARGETS: tuple[ExecTarget, ...] = (CLASSIFY, DRAFT, REVIEW, NIGHT, RARE)


@attrs.frozen
class Step:
    """One more call of a chain: how likely, which function, where, and after how many seconds on average."""

    share: float
    symbol: str
    target: ExecTarget
    seconds: float


@attrs.frozen
class Load:
    """Arrivals of the first function of a chain: calls an hour, by hour of the day."""

    symbol: str
    target: ExecTarget
    by_hour: dict[int, float]
    then: tuple[Step, ...] = ()
    """What follows the first call, each after the one before it; a chain ends where one does not follow."""


def loads(scale: float) -> tuple[Load, ...]:
    """Return the loads of a day: an office, a batch at night, a chain that is rare, and what nobody can foresee."""
    office = {**dict.fromkeys(range(8, 18), 12.0 * scale), 12: 5.0 * scale, 7: 3.0 * scale, 18: 3.0 * scale}
    ticket = (Step(0.85, "draft", DRAFT, 20.0), Step(0.6, "review", REVIEW, 40.0))
    return (
        Load("classify", CLASSIFY, office, ticket),
        Load("collect", NIGHT, {2: 60.0 * scale, 3: 60.0 * scale}),
        Load("report", CLASSIFY, dict.fromkeys((10, 15, 20), 4.0 * scale), (Step(0.95, "sum-up", NIGHT, 30.0),)),
        Load("whim", RARE, dict.fromkeys(range(24), 0.2 * scale)),
    )


def day_of_calls(number: int, loads_: tuple[Load, ...], drawn: Random) -> list[tuple[float, str, ExecTarget]]:
    """Return one day's calls in the order of time."""
    calls: list[tuple[float, str, ExecTarget]] = []
    for load in loads_:
        swing = drawn.uniform(0.8, 1.25)  # days differ
        for hour, rate in load.by_hour.items():
            at = number * _DAY + hour * _HOUR
            end = at + _HOUR
            while (at := at + drawn.expovariate(rate * swing / _HOUR)) < end:
                calls.append((at, load.symbol, load.target))
                after = at
                for step in load.then:
                    if drawn.random() >= step.share:
                        break
                    after += drawn.uniform(0.5, 1.5) * step.seconds
                    calls.append((after, step.symbol, step.target))
    return sorted(calls, key=lambda call: call[0])


@attrs.define
class Counted:
    """What came of a measured day."""

    calls: int = 0
    cold: int = 0
    warmed: int = 0
    wasted: int = 0


def engine() -> Any:
    """Return the engine as a configuration makes it."""
    from rtfs_engine_predictive.engine import PredictiveEngine
    from rtfs_engine_predictive.settings import PredictiveSettings

    return PredictiveEngine(EngineSettings(own=PredictiveSettings(horizon=HORIZON)))  # type: ignore[arg-type]


def simulate(seed: int, days: int, scale: float, per_hour: int) -> tuple[Counted, Counted]:
    """Return the last day without and with warm-ups; the days before it are for learning."""
    drawn, shape = Random(seed), loads(scale)
    calls = [day_of_calls(number, shape, drawn) for number in range(days)]
    return _measured(calls, 0), _measured(calls, per_hour)


def _measured(days: list[list[tuple[float, str, ExecTarget]]], per_hour: int) -> Counted:
    heat, made, found = Heat(horizon=HORIZON, per_hour=per_hour), engine(), Counted()
    state = made.initial()
    for number, calls in enumerate(days):
        found = Counted()
        state = _one_day(calls, number, heat, made, state, found)
    return found


def _one_day(
    calls: list[tuple[float, str, ExecTarget]], day: int, heat: Heat, made: Any, state: Any, found: Counted
) -> Any:
    """Go through a day, count what comes of it, and return what is learned by then."""
    candidates = tuple(Candidate(target, "p") for target in TARGETS)
    waiting: dict[ExecTarget, float] = {}
    for at, call in _with_ticks(calls, day):
        for target in [target for target, since in waiting.items() if at - since > HORIZON]:
            del waiting[target]
            found.wasted += 1
        if call is not None:
            symbol, target = call
            found.calls += 1
            found.cold += not heat.is_warm(target, at)
            waiting.pop(target, None)
            heat.used(target, at)
            state = made.fold(state, Outcome(symbol=symbol, target=target, success=True, at=at))
        recent = () if call is None else (call[0],)
        context = Context(hour=int(at % _DAY // _HOUR), recent=recent, candidates=candidates)
        for warm in heat.chosen(made.propose(state, context), at) if heat.per_hour else ():
            if warm.target is not None:
                waiting[warm.target] = at
                found.warmed += 1
    found.wasted += len(waiting)
    return state


def _with_ticks(
    calls: list[tuple[float, str, ExecTarget]], day: int
) -> Iterator[tuple[float, tuple[str, ExecTarget] | None]]:
    """Yield the calls, and the times at which a host looks without one."""
    tick = day * _DAY
    for at, symbol, target in calls:
        while tick <= at:
            yield tick, None
            tick += EVERY
        yield at, (symbol, target)


def main() -> None:
    """Print the shares."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--days", type=int, default=6)
    parser.add_argument("--per-hour", type=int, default=60)
    parser.add_argument("--scale", type=float, default=1.0, help="of all loads")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    rows = []
    for seed in range(asked.seeds):
        without, with_ = simulate(seed, asked.days, asked.scale, asked.per_hour)
        wasted = with_.wasted / with_.warmed if with_.warmed else 0.0
        rows.append({"seed": seed, "calls": without.calls, "cold": without.cold, "cold_with": with_.cold,
                     "kept": with_.cold / without.cold, "warmed": with_.warmed, "wasted": wasted})  # fmt: skip
    total = {
        name: mean(row[name] for row in rows) for name in ("calls", "cold", "cold_with", "kept", "warmed", "wasted")
    }
    worst = {name: max(row[name] for row in rows) for name in ("kept", "wasted")}
    if asked.json:
        print(json.dumps({"mean": total, "worst": worst, "rows": rows}))
        return
    print(f"{asked.seeds} seeds, {asked.days} days, loads x {asked.scale:g}, at most {asked.per_hour} warm-ups an hour")
    print(f"cold starts  {total['cold']:.1f} -> {total['cold_with']:.1f} of {total['calls']:.0f} calls: "
          f"{total['kept']:.1%} are left (worst seed {worst['kept']:.1%})")  # fmt: skip
    print(
        f"warm-ups     {total['warmed']:.1f}, of which {total['wasted']:.1%} wasted (worst seed {worst['wasted']:.1%})"
    )


if __name__ == "__main__":
    main()
