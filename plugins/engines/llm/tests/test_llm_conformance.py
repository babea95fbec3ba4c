"""The engine keeps the contract of engines, whatever the model says."""

from __future__ import annotations

from rtfs_engine_llm.engine import LlmEngine
from rtfs_engine_llm.settings import LlmSettings
from rtfs_framework.api import (
    DelegationPlan,
    EngineSettings,
    LocalModel,
    LocalPure,
    PlanSource,
    RemoteModel,
    TargetText,
)
from rtfs_framework.testing.conformance.engine import EngineConformance

NAMES = ("local-small", "remote-cloud", "local-pure", "local-judge")
TARGETS = dict(zip(NAMES, (LocalModel("small"), RemoteModel("cloud"), LocalPure(), LocalModel("judge")), strict=True))


class Always:
    """Chooses one target for every function."""

    def __init__(self, target):
        self.target = target

    def claims(self):
        return ("ai-*",)

    def decide(self, context):
        if not context.symbol.startswith("ai-"):
            return None
        return DelegationPlan(target=self.target, reasoning="always", source=PlanSource.ENGINE, engine="always")


class Claiming(LlmEngine):
    """The engine with the claims of its fallback, which the host adds."""

    __slots__ = ()

    def claims(self):
        return (*super().claims(), *(() if self._fallback is None else self._fallback.claims()))


def settings(fallback=None, **own):
    made = LlmSettings(**{"model": TargetText("local-judge"), "symbols": ("math-*", "*-check"), **own})
    children = {} if fallback is None else {"fallback": (fallback,)}
    return EngineSettings(own=made, children=children, targets=TARGETS)


class TestLlmEngine(EngineConformance):
    def make(self, given):
        return Claiming(given)

    def settings(self):
        named = tuple(map(TargetText, NAMES[:3]))
        return (
            settings(),
            settings(symbols=("*",), show="request", most_text=20),
            settings(Always(LocalModel("small")), min_confidence=0.5, candidates=named),
            settings(Always(RemoteModel("cloud")), max_output_cost=10.0, max_latency=2000.0, budgets=("daily",)),
            settings(Always(LocalPure()), candidates=named[:1], quality_floor=0.0),
            settings(model=None, show="request", symbols=("*",)),
            settings(Always(LocalModel("small")), min_confidence=0.9, model=None),
        )
