"""Do the intervals of off-policy estimates hold the truth? Simulated pairs of policies, of which it is known.

In: how many pairs, how many calls each. Each pair is a world of its own: functions, four targets with costs and
failures that depend on both (costs are skewed, as those of models are), a policy that explored while the log was
written, and another that is asked about, which follows up failures in its own way. Out: for each estimator and
quantity, in how many pairs the interval of 95 % holds the true mean, which is computed from the world, not estimated.

    python -m benchmarks.off_policy [--pairs 50] [--calls 2000] [--json]
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from random import Random

import attrs

from rtfs_framework.orchestrator.explaining.whatif.estimates import Estimate, Interval, Step, Trial, estimate

TARGETS = ("local", "small", "big", "own-body")
FUNCTIONS = ("triage", "title", "grade", "answer", "sort")
_FLOOR = 0.05
"""The least share that the exploring policy leaves to any target."""
_CHEAP, _DEAR = 0.0005, 0.02
_SPREAD = 0.6
"""Of the logarithm of a cost."""

Policy = Mapping[str, Mapping[str, float]]
"""By function: how likely it chooses what."""


@attrs.frozen
class World:
    """What comes of which choice."""

    cost: Mapping[tuple[str, str], float]
    """The mean cost in US dollars, by function and target."""
    failing: Mapping[tuple[str, str], float]

    def attempt(self, random: Random, function: str, target: str) -> tuple[float, bool]:
        """Return what one attempt cost, and whether it failed."""
        mean = self.cost[function, target]
        cost = mean * random.lognormvariate(-_SPREAD * _SPREAD / 2.0, _SPREAD) if mean else 0.0
        return cost, random.random() < self.failing[function, target]

    def truth(self, first: Policy, later: Policy) -> tuple[float, float]:
        """Return the true mean cost of a call, and how likely it fails: twice tried, then given up."""
        cost = failed = 0.0
        for function in FUNCTIONS:
            again = sum(share * self.cost[function, each] for each, share in later[function].items())
            lost = sum(share * self.failing[function, each] for each, share in later[function].items())
            for target, share in first[function].items():
                bad = self.failing[function, target]
                cost += share * (self.cost[function, target] + bad * again) / len(FUNCTIONS)
                failed += share * bad * lost / len(FUNCTIONS)
        return cost, failed


@attrs.frozen
class Pair:
    """What was estimated of one pair of policies, and what is true."""

    true_cost: float
    true_failed: float
    cost: Estimate
    failed: Estimate

    def holds(self, quantity: str, estimator: str) -> bool:
        """Tell whether an interval holds the truth."""
        found: Interval | None = getattr(getattr(self, quantity), estimator)
        truth = self.true_cost if quantity == "cost" else self.true_failed
        return found is not None and found.low <= truth <= found.high


def pair(seed: int, calls: int) -> Pair:
    """Simulate one pair."""
    random = Random(seed)
    world = _world(random)
    logging, logging_later = _policy(random, _FLOOR), _policy(random, _FLOOR)
    other, other_later = _policy(random, 0.0), _policy(random, 0.0)
    costs: list[Trial] = []
    failures: list[Trial] = []
    for _ in range(calls):
        function = random.choice(FUNCTIONS)
        taken: list[tuple[Policy, Policy, str, float]] = []
        failed = True
        for now, then in ((logging, other), (logging_later, other_later)):
            target = random.choices(TARGETS, [now[function][each] for each in TARGETS])[0]
            cost, failed = world.attempt(random, function, target)
            taken.append((now, then, target, cost))
            if not failed:
                break
        costs.append(_trial(function, taken, [cost for _, _, _, cost in taken]))
        ends = [0.0] * (len(taken) - 1) + [float(failed)]
        failures.append(_trial(function, taken, ends))
    true_cost, true_failed = world.truth(other, other_later)
    return Pair(true_cost, true_failed, estimate(costs, least=0.0), estimate(failures, least=0.0, most=1.0))


def _trial(function: str, taken: list[tuple[Policy, Policy, str, float]], rewards: list[float]) -> Trial:
    every = frozenset(TARGETS)
    return Trial(
        context=function,
        steps=tuple(
            Step(action=target, propensity=now[function][target], possible=every, wanted=then[function], reward=reward)
            for (now, then, target, _), reward in zip(taken, rewards, strict=True)
        ),
    )


def _world(random: Random) -> World:
    places = [(function, target) for function in FUNCTIONS for target in TARGETS]
    cost = {place: 0.0 if place[1] == "own-body" else random.uniform(_CHEAP, _DEAR) for place in places}
    return World(cost, {place: random.uniform(0.01, 0.4) for place in places})


def _policy(random: Random, floor: float) -> Policy:
    found: dict[str, dict[str, float]] = {}
    for function in FUNCTIONS:
        weights = [random.expovariate(1.0) ** 2 for _ in TARGETS]
        free = 1.0 - floor * len(TARGETS)
        found[function] = {
            target: floor + free * weight / sum(weights) for target, weight in zip(TARGETS, weights, strict=True)
        }
    return found


def holding(pairs: int, calls: int, seed: int = 1) -> dict[str, int]:
    """Return in how many pairs each interval holds the truth."""
    found = [pair(seed * 100_003 + number, calls) for number in range(pairs)]
    return {
        f"{quantity}, {name}": sum(each.holds(quantity, estimator) for each in found)
        for quantity in ("cost", "failed")
        for name, estimator in (("doubly robust", "robust"), ("inverse propensity", "inverse"))
    }


def main() -> None:
    """Simulate and print."""
    parser = argparse.ArgumentParser(description="In how many pairs of policies does the interval hold the truth?")
    parser.add_argument("--pairs", type=int, default=50)
    parser.add_argument("--calls", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found = holding(options.pairs, options.calls, options.seed)
    if options.json:
        sys.stdout.write(json.dumps({"pairs": options.pairs, "calls": options.calls, "holds": found}, indent=2) + "\n")
        return
    for name, count in found.items():
        sys.stdout.write(f"{name:28} {count:4} of {options.pairs}\n")


if __name__ == "__main__":
    main()
