"""Which route decides, what the plan says, and that deciding is quick."""

from __future__ import annotations

import timeit

import pytest

from rtfs_engine_static.engine import StaticEngine
from rtfs_framework.api import Consult, EngineSettings, LocalModel, LocalPure, PlanSource, RemoteModel
from rtfs_framework.registry import load_catalog
from rtfs_framework.testing.fakes import call_context

AWAY, NEAR, PURE = RemoteModel("cloud"), LocalModel("small"), LocalPure()


def engine(routes, default=None):
    return StaticEngine(EngineSettings(routes=routes, default=default))


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
        ({"empty?": AWAY}, "emptyx", PURE),
        ({"ai-*": AWAY}, "math-add", PURE),
    ],
)
def test_the_most_specific_route_decides(routes, symbol, target):
    assert engine(routes).decide(call_context(symbol)).target == target


def test_a_plan_names_its_route():
    plan = engine({"ai-*": AWAY}).decide(call_context("ai-draft"))
    assert plan.reasoning == "static route of the pattern `ai-*`: remote cloud"
    assert (plan.source, plan.engine, plan.confidence) == (PlanSource.STATIC_ROUTE, "static", 1.0)
    assert plan.context == (("route", "ai-*"),)
    assert "of the symbol `x`" in engine({"x": AWAY}).decide(call_context("x")).reasoning


def test_the_default_says_that_it_is_one():
    plan = engine({"ai-*": AWAY}, default=NEAR).decide(call_context("other"))
    assert (plan.target, plan.source) == (NEAR, PlanSource.DEFAULT)
    assert plan.reasoning == "no static route matches; default target: local-model small"


@pytest.mark.parametrize(
    ("routes", "default", "claims"),
    [
        ({}, None, set()),
        ({"ai-*": AWAY, "x": NEAR, "math-*": PURE}, PURE, {"ai-*", "x", "math-*"}),
        ({"x": PURE}, AWAY, {"x", "*"}),
        ({"*": PURE}, AWAY, {"*"}),
    ],
)
def test_claims_are_the_routes_and_all_when_the_default_sends_away(routes, default, claims):
    assert set(engine(routes, default).claims()) == claims


def test_a_consultation_that_nobody_wished_for_changes_nothing():
    chosen, context = engine({"x": AWAY}), call_context("x")
    assert chosen.conclude(context, Consult(NEAR, "where?"), "local") == chosen.decide(context)


def test_the_catalog_makes_it():
    catalog = load_catalog({"RTFS_PLUGINS": "static"})
    assert not catalog.problems
    made = catalog.engine("static").factory(EngineSettings(routes={"x": AWAY}))
    assert made.decide(call_context("x")).target == AWAY


def test_deciding_is_a_look_up():
    routes = {f"family-{i}-*": AWAY for i in range(20)} | {f"name-{i}": NEAR for i in range(20)}
    chosen = engine(routes)
    for symbol in ("name-7", "family-7-x", "other"):
        context = call_context(symbol)
        best = min(timeit.repeat(lambda context=context: chosen.decide(context), number=2_000, repeat=5)) / 2_000
        assert best < 20e-6, f"{symbol}: {best * 1e6:.2f} µs"  # measured: 0.1 to 2 µs; the slack is for busy machines
