"""The engine: its contract, what it leaves out, its order, and whom it follows."""

from __future__ import annotations

import pytest

from rtfs_engine_remote_rtfs.engine import PeerEngine
from rtfs_engine_remote_rtfs.settings import PeerSettings
from rtfs_framework.api import (
    Attempt,
    Candidate,
    EngineSettings,
    FailureKind,
    Health,
    Left,
    Offer,
    OfferedTarget,
    Price,
    RemoteModel,
    TargetText,
)
from rtfs_framework.orchestrator.deciding.signals import Signals
from rtfs_framework.testing.conformance.engine import EngineConformance
from rtfs_framework.testing.fakes import FakeAsker, call_context

NORTH, SOUTH, WEST = (RemoteModel(each) for each in ("north", "south", "west"))
PEERS = tuple(Candidate(target=each, provider="remote-rtfs", idempotent=True) for each in (NORTH, SOUTH, WEST))


def offer(cost=1.0, room=Left.PLENTY, quality=0.5, accepts=None, health=Health.CLOSED):
    target = OfferedTarget(target="local m", input_cost=cost, output_cost=0.0, quality=quality, health=health)
    return Offer(host="h", targets=(target,), room=room, accepts=accepts)


class Board:
    """Signals by target."""

    def __init__(self, offers, loads=None, health=None):
        self.offers, self.loads, self.states = offers, loads or {}, health or {}

    def health(self, target):
        return self.states.get(target, Health.CLOSED)

    def latency(self, _target):
        return None

    def load(self, target):
        return self.loads.get(target, 0)

    def price(self, _target):
        return Price()

    def offer(self, target):
        return self.offers.get(target)


def decided(offers, *, attempts=(), labels=frozenset(), loads=None, health=None, **own):
    engine = PeerEngine(EngineSettings(own=PeerSettings(**own)))
    board = Board(offers, loads, health)
    context = call_context(
        "mood",
        "x",
        candidates=PEERS,
        signals=Signals(targets=board, prices=board, offers=board),
        asker=FakeAsker(attempts, labels=labels),
    )
    plan = engine.decide(context)
    return None if plan is None else plan.target


def declined(target, *elsewhere):
    return Attempt(target=target, kind=FailureKind.HERE, elsewhere=elsewhere)


class TestContract(EngineConformance):
    def make(self, settings):
        return PeerEngine(settings)

    def settings(self):
        peers, targets = (TargetText("remote-cloud"),), {"remote-cloud": RemoteModel("cloud")}
        bounds = PeerSettings(peers=peers, max_cost=5.0, quality_floor=0.5, known_only=True)
        return (
            *super().settings(),
            EngineSettings(own=PeerSettings(peers=peers), targets=targets),
            EngineSettings(own=bounds, targets=targets),
        )


@pytest.mark.parametrize(
    ("offers", "more", "chosen"),
    [
        ({}, {}, NORTH),
        ({NORTH: offer(2.0), SOUTH: offer(1.0), WEST: offer(3.0)}, {}, SOUTH),
        ({NORTH: offer(1.0, Left.SOME), SOUTH: offer(2.0), WEST: offer(1.0, Left.NOTHING)}, {}, SOUTH),
        ({NORTH: offer(), SOUTH: offer(), WEST: offer()}, {"loads": {NORTH: 4, SOUTH: 1, WEST: 2}}, SOUTH),
        ({NORTH: offer(), SOUTH: offer(2.0)}, {"health": {NORTH: Health.OPEN}}, SOUTH),
        ({NORTH: offer(health=Health.OPEN), SOUTH: offer(2.0)}, {}, SOUTH),
        ({NORTH: offer(accepts=frozenset()), SOUTH: offer(2.0)}, {"labels": frozenset({"pii"})}, SOUTH),
        ({NORTH: offer(9.0), SOUTH: offer(2.0)}, {"max_cost": 3.0}, SOUTH),
        ({NORTH: offer(quality=0.1), SOUTH: offer(2.0), WEST: offer(1.0, quality=None)}, {"quality_floor": 0.4}, SOUTH),
        ({SOUTH: offer(2.0)}, {"known_only": True}, SOUTH),
        ({NORTH: offer(9.0)}, {"max_cost": 3.0}, None),
        ({NORTH: offer()}, {"symbols": ("other",)}, None),
    ],
)
def test_the_host_that_offers_most(offers, more, chosen):
    assert decided(offers, **more) == chosen


def test_a_host_that_is_named_instead_is_next_whatever_others_offer():
    offers = {NORTH: offer(1.0), SOUTH: offer(1.5), WEST: offer(9.0)}
    assert decided(offers, attempts=(declined(NORTH, WEST),)) == WEST
    assert decided(offers, attempts=(declined(NORTH),)) == SOUTH


def test_no_host_is_asked_twice_and_named_ones_are_held_to_the_same_bounds():
    offers = {NORTH: offer(1.0), SOUTH: offer(1.5), WEST: offer(9.0)}
    assert decided(offers, attempts=(declined(NORTH, WEST), declined(WEST, NORTH))) == SOUTH
    assert decided(offers, attempts=(declined(NORTH, WEST),), max_cost=5.0) == SOUTH
    three = (declined(NORTH), declined(WEST), declined(SOUTH))
    assert decided(offers, attempts=three) is None
    assert decided(offers, attempts=three[:1], most_tried=1) is None
