"""Which route decides, and what the plan says."""

from __future__ import annotations

import pytest

from rtfs_engine_static.engine import StaticEngine
from rtfs_framework.api import Candidate, EngineSettings, LocalModel, LocalPure, PlanSource, RemoteModel
from rtfs_framework.registry import load_catalog
from rtfs_framework.testing.fakes import call_context, call_reads, decided

AWAY, NEAR, PURE = RemoteModel("cloud"), LocalModel("small"), LocalPure()


def engine(routes, default=None):
    return StaticEngine(EngineSettings(routes={key: (to,) for key, to in routes.items()}, default=default))


@pytest.mark.parametrize(
    ("routes", "symbol", "target"),
    [
        ({"ai-*": AWAY}, "ai-draft", AWAY),
        ({"ai-*": AWAY, "ai-draft": NEAR}, "ai-draft", NEAR),
        ({"*": AWAY, "ai-*": NEAR}, "ai-draft", NEAR),
        ({"ai-*": AWAY, "*-draft-long": NEAR}, "ai-draft-long", NEAR),
        ({"a*b*": AWAY, "ab*": NEAR}, "abc", NEAR),
        ({"a*": AWAY, "*c": NEAR}, "abc", AWAY),
        ({"*c": NEAR, "a*": AWAY}, "abc", NEAR),
        ({"empty?": AWAY}, "empty?", AWAY),
    ],
)
def test_the_most_specific_route_decides(routes, symbol, target):
    assert engine(routes).decide(call_context(symbol)).target == target


def test_without_a_route_it_has_no_opinion():
    assert engine({"empty?": AWAY}).decide(call_context("emptyx")) is None
    assert engine({"ai-*": AWAY}, default=NEAR).decide(call_context("math-add")) is None


def test_a_plan_names_its_route():
    plan = engine({"ai-*": AWAY}).decide(call_context("ai-draft"))
    assert plan.reasoning == "static route of the pattern `ai-*`: remote cloud"
    assert (plan.source, plan.engine, plan.confidence) == (PlanSource.STATIC_ROUTE, "static", 1.0)
    assert plan.context == (("route", "ai-*"),)
    assert "of the symbol `x`" in engine({"x": AWAY}).decide(call_context("x")).reasoning


def test_claims_are_the_routes():
    assert set(engine({"ai-*": AWAY, "x": NEAR, "math-*": PURE}, AWAY).claims()) == {"ai-*", "x", "math-*"}
    assert not set(engine({}).claims())


def test_of_several_targets_the_first_that_can_be_used_is_chosen():
    chosen = StaticEngine(EngineSettings(routes={"x": (AWAY, NEAR, PURE)}))
    for usable, target in ([(AWAY, NEAR), AWAY], [(NEAR,), NEAR], [(), PURE]):
        candidates = tuple(Candidate(each, "p") for each in usable)
        assert chosen.decide(call_context("x", candidates=candidates)).target == target
    assert StaticEngine(EngineSettings(routes={"x": (AWAY, NEAR)})).decide(call_context("x")).target == AWAY


def test_nothing_is_read_that_is_not_free():
    reads = call_reads("ai-x", 1)
    assert decided(engine({"ai-*": AWAY}), reads).target == AWAY
    assert not reads.noted


def test_the_catalog_makes_it():
    catalog = load_catalog({"RTFS_PLUGINS": "static"})
    assert not catalog.problems
    made = catalog.engine("static").factory(EngineSettings(routes={"x": (AWAY,)}))
    assert made.decide(call_context("x")).target == AWAY
