"""The engine suite fails what breaks the contract."""

from __future__ import annotations

import os
import random
import socket
import time
from pathlib import Path

import attrs
import pytest

from rtfs_framework.api import DelegationPlan, LocalPure, PlanSource, RemoteModel
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
        if "math" in context.symbol and context.consult(RemoteModel("cloud"), "where?") == "remote":
            return self.plan(context, target=RemoteModel("cloud"))
        return self.plan(context)


class ChangesItsMind(Engine):
    def decide(self, context):
        self.asked += 1
        return self.plan(context, confidence=1 / self.asked)


class GivesNoReason(Engine):
    def decide(self, context):
        return self.plan(context, reasoning=" ")


class SaysWhen(Engine):
    def decide(self, context):
        return self.plan(context, created_at=5.0)


class Looks(Engine):
    """Looks at something that is no part of the context, and makes nothing of it."""

    def decide(self, context):
        self.look()
        return self.plan(context)


class LooksAtAClock(Looks):
    def look(self):
        time.monotonic()


class LooksAtChance(Looks):
    def look(self):
        random.random()


class LooksAtTheEnvironment(Looks):
    def look(self):
        os.environ.get("HOME")


class LooksAtAFile(Looks):
    def look(self):
        Path(os.devnull).open().close()


class OpensASocket(Looks):
    def look(self):
        socket.socket().close()


class KeepsWhatItSaw(Engine):
    """Decides by an argument that it reads past its context."""

    def decide(self, context):
        big = len(context._reads.call.args) > 1
        return self.plan(context, reasoning="many" if big else "few")


class PeeksAtHealth(Engine):
    """Decides by a signal that it reads past its context."""

    def decide(self, context):
        passes = context._reads.facts.signals.health(RemoteModel("cloud")).passes
        return self.plan(context, reasoning="well" if passes else "ill")


class AsksOnAndOn(Engine):
    def decide(self, context):
        for n in range(3):
            context.consult(RemoteModel("cloud"), f"{n}?")
        return self.plan(context)


class LearnsClaims(Engine):
    def decide(self, context):
        self.asked += 1
        return self.plan(context)

    def claims(self):
        return ["*" if self.asked else "ai-*"]


ARGUMENTS_ALONE = "test_what_was_not_read_never_changes_a_plan"
WORLDS = "test_no_world_that_answers_its_reads_alike_changes_a_plan"


@pytest.mark.parametrize(
    ("kind", "caught_by"),
    [
        (Engine, None),
        (ClaimsTooLittle, "test_claims_cover_what_is_sent_away"),
        (ConsultsUnclaimed, "test_claims_cover_what_is_sent_away"),
        (ChangesItsMind, f"test_the_same_context_gets_an_equal_plan {ARGUMENTS_ALONE} {WORLDS}"),
        (GivesNoReason, "test_plans_are_complete"),
        (SaysWhen, "test_plans_are_complete"),
        (LooksAtAClock, "test_nothing_but_the_context_is_looked_at"),
        (LooksAtChance, "test_nothing_but_the_context_is_looked_at"),
        (LooksAtTheEnvironment, "test_nothing_but_the_context_is_looked_at"),
        (LooksAtAFile, "test_nothing_but_the_context_is_looked_at"),
        (OpensASocket, "test_nothing_but_the_context_is_looked_at"),
        (KeepsWhatItSaw, f"{ARGUMENTS_ALONE} {WORLDS}"),
        (PeeksAtHealth, WORLDS),
        (LearnsClaims, "test_claims_do_not_change"),
    ],
)
def test_a_wrong_engine_is_caught(kind, caught_by, failing):
    class Suite(EngineConformance):
        def make(self, settings):
            return kind()

    assert failing(Suite()) == set((caught_by or "").split())


def test_an_engine_that_asks_on_and_on_is_caught(failing):
    class Suite(EngineConformance):
        def make(self, settings):
            return AsksOnAndOn()

    assert "test_the_same_context_gets_an_equal_plan" in failing(Suite())
