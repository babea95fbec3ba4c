"""The engine keeps the contract of engines, whatever stands in its line."""

from __future__ import annotations

import itertools

from rtfs_engine_resilient.engine import ResilientEngine
from rtfs_engine_resilient.settings import ResilientSettings
from rtfs_framework.api import (
    DelegationPlan,
    EngineSettings,
    LocalModel,
    LocalPure,
    PlanSource,
    RemoteModel,
    compile_patterns,
)
from rtfs_framework.testing.conformance.engine import ROUTES, EngineConformance


class Routed:
    """Sends what the suite's routes name to the first of their targets that can be used."""

    def __init__(self, routes=ROUTES):
        self.routes = routes
        self.patterns = tuple(routes)
        self.first = compile_patterns(self.patterns)

    def claims(self):
        return self.patterns

    def decide(self, context):
        place = self.first(context.symbol)
        if place is None:
            return None
        known = {each.target for each in context.candidates}
        targets = self.routes[self.patterns[place]]
        target = next((each for each in targets if each in known or isinstance(each, LocalPure)), targets[0])
        return DelegationPlan(target=target, reasoning="routed", source=PlanSource.STATIC_ROUTE, engine="routed")


class Claiming(ResilientEngine):
    """The engine with the claims of those below it, which the host adds."""

    __slots__ = ()

    def claims(self):
        return tuple(itertools.chain.from_iterable(each.claims() for each in self._line))


class TestResilientEngine(EngineConformance):
    def make(self, settings):
        return Claiming(settings)

    def settings(self):
        other = Routed({"ai-*": (LocalModel("small"),), "*-check": (RemoteModel("cloud"),)})
        hedged = ResilientSettings(retries=2, hedge="p95", hedge_cost=0.1)
        return (
            *super().settings(),
            EngineSettings(children={"primary": (Routed(),)}),
            EngineSettings(children={"primary": (Routed(),), "fallback": (other, Routed())}),
            EngineSettings(children={"escalate": (other, Routed())}, own=hedged),
        )
