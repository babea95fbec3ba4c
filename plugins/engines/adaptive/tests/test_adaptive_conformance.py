"""The engine keeps the contract of engines, and that of those that learn."""

from __future__ import annotations

from rtfs_engine_adaptive.engine import AdaptiveEngine
from rtfs_engine_adaptive.settings import AdaptiveSettings, Weights
from rtfs_framework.api import DelegationPlan, EngineSettings, LocalModel, LocalPure, PlanSource, compile_patterns
from rtfs_framework.testing.conformance.engine import ROUTES, EngineConformance
from rtfs_framework.testing.conformance.learning import LearningConformance


class Routed:
    """Sends what the suite's routes name to the first of its targets that can be used; all else to any."""

    def __init__(self, routes=ROUTES, *, looks=False):
        self.patterns, self.routes = tuple(routes), routes
        self.first = compile_patterns(self.patterns)
        self.looks = looks

    def claims(self):
        return self.patterns

    def decide(self, context):
        place = self.first(context.symbol)
        if place is None:
            return None
        known = [each.target for each in context.candidates]
        named = self.routes[self.patterns[place]]
        if self.looks and context.size > 64:
            named = tuple(reversed(named))
        targets = [each for each in (*named, *known) if each in known] or [LocalPure()]
        return DelegationPlan(target=targets[0], reasoning="routed", source=PlanSource.STATIC_ROUTE, engine="routed")


class Claiming(AdaptiveEngine):
    """The engine with the claims of the one below it, which the host adds."""

    __slots__ = ()

    def claims(self):
        return () if self._base is None else self._base.claims()


def settings(base=None, **own):
    made = AdaptiveSettings(**own)
    return EngineSettings(children={"base": (base or Routed(),)}, own=made)


def all_settings():
    return (
        EngineSettings(children={"base": (Routed(),)}),
        settings(exploration=0.0, learning=0.0),
        settings(Routed({"*": (LocalModel("small"),)}, looks=True), features=("size", "time_class"), decay=0.9),
        settings(weights=Weights(success=0.0, validity=0.0, feedback=0.0), drift=False, samples=1, focus=0.0),
    )


class TestAdaptiveEngine(EngineConformance):
    def make(self, settings):
        return Claiming(settings)

    def settings(self):
        return (EngineSettings(), *all_settings())


class TestAdaptiveLearning(LearningConformance):
    def make(self, settings):
        return Claiming(settings)

    def settings(self):
        return all_settings()

    def notes(self):
        return (*super().notes(), "a1 - -", "a1 3 night", "a1 99999999999 morning")
