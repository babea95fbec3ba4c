"""The simulation of many workers: what is saturated shows, what is not does not, and equal seeds see equal things."""

from __future__ import annotations

from benchmarks.scale_out import Costs, simulate

COSTS = Costs({"put": 0.001, "lease": 0.002, "ack": 0.001, "look": 0.0005}, {})


def seen(shards, rate, **more):
    return simulate(COSTS, shards, seconds=4.0, workers=200, rate=rate, **more)


def test_one_queue_serves_as_many_runs_as_its_steps_let_it():
    few, many = seen(1, 100.0), seen(1, 2_000.0)
    assert max(few.delays) < 0.5
    assert many.started / 2 <= 1 / COSTS.run * 1.05, "more was started than one server can do"
    assert many.servers > 0.95


def test_more_queues_serve_more():
    assert seen(4, 400.0).servers < seen(2, 400.0).servers
    assert abs(seen(8, 300.0).started / 2 - 300.0) < 60


def test_equal_seeds_see_equal_things():
    assert seen(2, 100.0, seed=3) == seen(2, 100.0, seed=3)
