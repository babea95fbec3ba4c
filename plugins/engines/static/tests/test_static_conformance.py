"""The engine keeps the contract of engines."""

from __future__ import annotations

from rtfs_engine_static.engine import StaticEngine
from rtfs_engine_static.rules import Rule, StaticSettings
from rtfs_framework.api import EngineSettings, LocalModel, RemoteModel, TargetText, TypePattern
from rtfs_framework.testing.conformance.engine import ROUTES, EngineConformance

TARGETS = {"remote-cloud": RemoteModel("cloud"), "local-small": LocalModel("small")}
RULES = (
    Rule(symbols="ai-*", to=TargetText("local-small"), types=(TypePattern(":int"), TypePattern("& :any"))),
    Rule(symbols="ai-*", to=TargetText("remote-cloud"), max_size=64),
    Rule(symbols=("*-check", "math-add"), to=tuple(map(TargetText, TARGETS)), max_input_cost=1.0),
    Rule(symbols="math-*", to=TargetText("local-small"), tenant="a*", granted="x"),
    Rule(symbols="math-*", to=TargetText("local-small"), min_confidence=0.5, intent="*"),
    Rule(symbols="ai-*", to=TargetText("local-small"), agent="c*", environment={"region": "e*"}),
    Rule(symbols="*-check", to=TargetText("local-small"), constraints={"latency": "low"}, time_class=("night", "day")),
    Rule(symbols="x/y", deny="not this one"),
)


class TestStaticEngine(EngineConformance):
    def make(self, settings):
        return StaticEngine(settings)

    def settings(self):
        own = StaticSettings(rules=RULES)
        return (
            *super().settings(),
            EngineSettings(own=own, targets=TARGETS),
            EngineSettings(own=own, targets=TARGETS, routes=ROUTES),
        )
