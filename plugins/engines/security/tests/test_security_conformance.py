"""The engine keeps the contract of engines, whatever its rules say and whatever stands below it."""

from __future__ import annotations

import itertools

from rtfs_engine_security.engine import SecurityEngine
from rtfs_engine_security.settings import PRESETS, Rule, SecuritySettings
from rtfs_framework.api import (
    DelegationPlan,
    EngineSettings,
    LocalModel,
    PlanSource,
    RemoteModel,
    RuleText,
    compile_patterns,
)
from rtfs_framework.testing.conformance.engine import ROUTES, EngineConformance

RULES = (
    Rule(symbols="ai-draft", labels="*", say="redact", redact=[RuleText("email")]),
    Rule(symbols="ai-*", labels="pii", where=("local", "remote"), say="local"),
    Rule(symbols="*-check", level="full", say="deny"),
    Rule(symbols="math-*", granted="x", tenant="a*", say="ask", approver="boss"),
    Rule(missing="y", agent="bot*", unaccepted=True, say="deny"),
)


class Routed:
    """Sends what the suite's routes name to their first target."""

    def __init__(self, routes=ROUTES):
        self.patterns = tuple(routes)
        self.targets = [found[0] for found in routes.values()]
        self.first = compile_patterns(self.patterns)

    def claims(self):
        return self.patterns

    def decide(self, context):
        place = self.first(context.symbol)
        if place is None:
            return None
        return DelegationPlan(target=self.targets[place], reasoning="routed", source=PlanSource.STATIC_ROUTE)


class Claiming(SecurityEngine):
    """The engine with the claims of the one below it, which the host adds."""

    __slots__ = ()

    def claims(self):
        return (*super().claims(), *itertools.chain(self._base.claims()))


class TestSecurityEngine(EngineConformance):
    def make(self, settings):
        return Claiming(settings)

    def settings(self):
        below = {"base": (Routed(),)}
        others = {"base": (Routed({"ai-*": (LocalModel("small"),), "*-check": (RemoteModel("cloud"),)}),)}
        redacting = SecuritySettings(preset="privacy-first", redact=[RuleText("email")])
        return (
            *super().settings(),
            EngineSettings(children=below),
            *(EngineSettings(children=below, own=SecuritySettings(preset=each)) for each in PRESETS),
            EngineSettings(children=below, own=redacting, default=RemoteModel("cloud")),
            EngineSettings(children=below, own=SecuritySettings(rules=RULES)),
            EngineSettings(children=others, own=SecuritySettings(rules=RULES, models="m*", targets=("small", "cloud"))),
        )
