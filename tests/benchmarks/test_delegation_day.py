"""The simulated day: a small one with the real engines, what its judge says, and the world's hours."""

from __future__ import annotations

import csv
import gzip
import json

import pytest

from benchmarks.delegation_day.hosted import Policy, Trace, adaptive, always, day
from benchmarks.delegation_day.judged import Judged, interval, judged
from benchmarks.delegation_day.report import found, shown
from benchmarks.delegation_day.world import NAMES, USUAL, VARIATIONS, Variation, World, questions, stand_in
from rtfs_framework.api import Children, DelegationPlan, EngineEntry, hookimpl

pytestmark = pytest.mark.needs("rtfs-engine-resilient", "rtfs-engine-static")
CALLS = 1_200


@pytest.fixture(scope="module")
def world():
    return World(stand_in(500))


class Greedy:
    """An engine that learns: the cheapest model whose answers are right often enough, as far as somebody rated them."""

    def __init__(self, base):
        self.base = base

    def claims(self):
        return ()

    def initial(self):
        return {}

    def fold(self, state, outcome):
        if outcome.feedback is None and outcome.cost is None:
            return state
        name = outcome.target.id
        cell = state.get(name, {"rated": 1, "right": 1.0, "cost": 0.0})
        if outcome.feedback is None:
            return {**state, name: {**cell, "cost": outcome.cost}}
        rated = {"rated": cell["rated"] + 1, "right": cell["right"] + outcome.feedback}
        return {**state, name: {**cell, **rated}}

    def decide(self, context):
        plan = self.base.decide(context)
        if plan is None:
            return None
        known = {each.target: context.state(each.target.id) for each in context.candidates}
        good = [
            (cell["cost"], target.id, target)
            for target, cell in known.items()
            if cell is not None and cell["right"] / cell["rated"] > 0.7
        ]
        new = [target for target, cell in known.items() if cell is None]
        target = new[0] if new else min(good)[2] if good else plan.target
        return DelegationPlan(target=target, reasoning="greedy", source=plan.source)


class GreedyPlugin:
    rtfs_api_version = 2
    rtfs_distribution = "benchmark-test"

    @hookimpl
    def rtfs_engines(self):
        children = (Children("base"),)
        make = lambda settings: Greedy(settings.children["base"][0])  # noqa: E731
        return [EngineEntry(name="greedy", summary="Learns.", factory=make, children=children)]


GREEDY = Policy(
    name="adaptive",
    primary="learned",
    route=NAMES,
    more='[engines.learned]\nplugin = "greedy"\nbase = "static"\n',
    extra=(GreedyPlugin(),),
)


def test_what_is_learned_saves_money_and_a_small_day_is_the_same_again(world):
    first, again = (day(GREEDY, world, CALLS, 1) for _ in range(2))
    strong = day(always("strong"), world, CALLS, 1)
    assert (first.chosen, first.right, first.cost) == (again.chosen, again.right, again.cost)
    assert sum(first.cost) < 0.8 * sum(strong.cost)
    assert len(set(first.chosen)) == len(NAMES)
    assert sum(strong.failed) <= CALLS // 100


def test_an_outage_goes_to_others_and_one_model_is_enough(world):
    trace = day(always("north"), world, CALLS, 2)
    down, alone = (range(CALLS * hour // 24 + 20, CALLS * (hour + 1) // 24) for hour in (8, 22))
    assert sum(trace.chosen[call] == NAMES.index("north") for call in down) < len(down) // 3  # probes alone
    assert not any(trace.failed[call] for call in down)
    assert sum(NAMES[trace.chosen[call]] == "spare" for call in alone) > len(alone) * 2 // 3
    assert not any(trace.failed[call] for call in alone)


def by_price(phase):
    return {name: 1.0 - model.price / 20.0 for name, model in phase.models.items() if not model.down}


def trace_of(choose, calls=24_000):
    chosen = [NAMES.index(choose(call)) for call in range(calls)]
    return Trace(chosen=chosen, right=[True] * calls, cost=[0.5] * calls, failed=[False] * calls, seconds=1.0)


def test_the_judge_knows_who_was_best(world):
    best = judged(trace_of(lambda _: "weak"), world, by_price)
    assert (best.near, best.back, best.quality, best.cost) == pytest.approx((23 / 23, 100.0, 1.0, 0.5), abs=0.05)
    worst = judged(trace_of(lambda _: "strong"), world, by_price)
    assert worst.near == 0.0
    assert worst.back == 2000.0
    late = judged(trace_of(lambda call: "weak" if call >= 12_300 else "strong"), world, by_price)
    assert 300.0 <= late.back <= 400.0


def test_the_hours_of_the_day(world):
    hours = {round(phase.start * 24.0): phase for phase in world.phases}
    assert hours[8].models["north"].down
    assert world.at(0.5).models["north"].invalid > world.at(0.49).models["north"].invalid
    assert hours[22].up == ("spare",)
    assert hours[14].models["south"].price < world.at(0.5).models["south"].price
    dear = World(world.asked, Variation(prices=1.3)).phases[0].models
    assert dear["north"].price == pytest.approx(6.5)
    assert dear["strong"].price == 10.0
    assert len({str(each) for each in (USUAL, *VARIATIONS)}) == 7


def test_questions_are_those_of_the_file_or_say_that_they_are_not(tmp_path):
    path = tmp_path / "outcomes.csv.gz"
    with gzip.open(path, "wt", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["topic", "prompt", "weak_model_correct", "strong_model_correct"])
        writer.writerows([["a", "x" * 40, 0, 1], ["b", "y" * 80, 1, 1]])
    found = questions(path)
    assert (found.tokens, found.weak, found.strong) == ((10, 20), (False, True), (True, True))
    assert found.source == "outcomes.csv.gz"
    assert "stand-in" in questions(tmp_path / "none.gz").source


def days(**fields):
    usual = {"cost": 1.0, "quality": 0.8, "failed": 0.0, "failed_alone": 0.0, "near": 0.97, "back": 100.0}
    return [Judged(**{**usual, "slowest": 1.0, "micros": 100.0, **fields})] * 3


def test_bounds_are_judged_against_the_cheapest_route_of_equal_quality():
    rows = {"adaptive": days(cost=0.5), "strong": days(), "south": days(cost=0.6), "weak": days(cost=0.1, quality=0.6)}
    made = found("as usual", rows)
    assert made.best_static == "south"
    met = {bound.name: bound.met for bound in made.bounds}
    assert met["cheaper than always strong"]
    assert not met["cheaper than the best static route (south)"]
    assert "MISSED cheaper than the best static route (south): 0.1667" in shown(made)
    assert json.loads(json.dumps(made.to_json()))["best_static"] == "south"


def test_intervals_are_student_s():
    made = interval([1.0, 2.0, 3.0])
    assert (made.mean, made.least, made.worst) == (2.0, 1.0, 3.0)
    assert made.off == pytest.approx(4.303 / 3**0.5)


@pytest.mark.needs("rtfs-engine-adaptive")
def test_the_day_of_adaptive(world, capsys):
    from benchmarks.delegation_day import __main__ as command

    trace = day(adaptive(), world, CALLS, 1)
    assert len(trace.chosen) == CALLS
    assert sum(trace.failed) < CALLS // 100
    assert command.main(["--calls", "120", "--seeds", "1", "--data", "none.csv.gz", "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    (usual,) = data["worlds"]
    assert set(usual["policies"]) == {"adaptive", *NAMES}
    assert "stand-in" in data["questions"]
