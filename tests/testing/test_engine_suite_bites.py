"""The engine suite fails what breaks the contract."""

from __future__ import annotations

import attrs
import pytest

from rtfs_framework.api import Consult, DelegationPlan, LocalPure, PlanSource, RemoteModel
from rtfs_framework.testing.conformance.engine import EngineConformance


class Engine:
    """A right engine; the wrong ones below change one thing."""

    def __init__(self):
        self.asked = 0

    def claims(self):
        return ["ai-*"]

    def decide(self, context):
        return self.plan(context)

    def plan(self, context, **changes):
        away = context.symbol.startswith("ai-")
        target = RemoteModel("cloud") if away else LocalPure()
        plan = DelegationPlan(target=target, reasoning="by its name", source=PlanSource.ENGINE)
        return attrs.evolve(plan, **changes)


class ClaimsTooLittle(Engine):
    def claims(self):
        return ["ai-draft*"]


class ConsultsUnclaimed(Engine):
    def decide(self, context):
        return Consult(RemoteModel("cloud"), "where?") if "math" in context.symbol else self.plan(context)

    def conclude(self, context, consult, answer):
        return self.plan(context)


class ChangesItsMind(Engine):
    def decide(self, context):
        self.asked += 1
        return self.plan(context, confidence=1 / self.asked)


class GivesNoReason(Engine):
    def decide(self, context):
        return self.plan(context, reasoning=" ")


class ReadsAClock(Engine):
    def decide(self, context):
        return self.plan(context, created_at=5.0)


class LearnsClaims(Engine):
    def decide(self, context):
        self.asked += 1
        return self.plan(context)

    def claims(self):
        return ["*" if self.asked else "ai-*"]


@pytest.mark.parametrize(
    ("kind", "caught_by"),
    [
        (Engine, None),
        (ClaimsTooLittle, "test_claims_cover_what_is_sent_away"),
        (ConsultsUnclaimed, "test_claims_cover_what_is_sent_away"),
        (ChangesItsMind, "test_the_same_context_gets_an_equal_plan"),
        (GivesNoReason, "test_plans_are_complete"),
        (ReadsAClock, "test_plans_are_complete"),
        (LearnsClaims, "test_claims_do_not_change"),
    ],
)
def test_a_wrong_engine_is_caught(kind, caught_by, failing):
    class Suite(EngineConformance):
        def make(self, settings):
            return kind()

    assert failing(Suite()) == ({caught_by} if caught_by else set())
