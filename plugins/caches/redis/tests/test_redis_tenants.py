"""Two tenants that ask the same, on several nodes: never each other's value, whatever happens in between."""

from __future__ import annotations

import random

import pytest

from rtfs_framework.api import CacheInfo, CacheKey
from rtfs_framework.testing import FakeClock
from rtfs_framework.testing.effort import effort
from rtfs_framework.testing.fakes import cache_key

TENANTS = ("acme", "globex")
QUESTIONS = 40


class World:
    """Three nodes of one layer; one may be lost, or replaced by a new one, at any time."""

    def __init__(self, server, node, seed):
        self.server, self.node, self.chance, self.clock = server, node, random.Random(seed), FakeClock()
        self.nodes = [self.new() for _ in range(3)]
        self.put, self.served, self.made = {}, 0, 0

    def new(self):
        return self.node(self.server, clock=self.clock, capacity=30, lease=2.0, ttl=50.0)

    def step(self):
        chance = self.chance
        at = chance.randrange(3)
        layer, tenant = self.nodes[at], chance.choice(TENANTS)
        question = chance.randrange(QUESTIONS)
        key = cache_key(tenant, question)
        what = chance.random()
        if what < 0.6:
            found = layer.get(key)
            if found is not None:
                self.served += 1
                assert found.value.startswith(f"{tenant} {question} "), f"{tenant} was given {found.value}"
                assert found.info.tenant == tenant
                assert found.expires_at > self.clock.now()
                assert found.value in self.put[key], "it was invalidated, and acknowledged"
        elif what < 0.9:
            self.made += 1
            value = f"{tenant} {question} {self.made}"
            layer.put(key, value, chance.choice([None, 5.0, 20.0]), CacheInfo(tenant=tenant))
            self.put.setdefault(key, set()).add(value)
        elif what < 0.93:
            self.invalidate(layer, key)
        elif what < 0.96:
            self.clock.advance(chance.choice([0.1, 3.0, 30.0]))
            for each in self.nodes:
                each._now.at += chance.choice([0.5, 3.0])
        else:
            self.harm(at)

    def invalidate(self, layer, key: CacheKey):
        layer.invalidate(key)
        for each in self.nodes:  # what the one who invalidates waits for
            each._now.at += 2.0 * 1.02
        self.put[key] = set()

    def harm(self, at):
        kind = self.chance.randrange(3)
        if kind == 0:
            self.nodes[at].close()
            self.nodes[at] = self.new()
        elif kind == 1:
            with self.server.client() as client:
                client.client_kill_filter(_type="normal", skipme=True)
            for each in self.nodes:
                each._now.at += 11.0
        elif self.chance.random() < 0.05:
            self.nodes[at].clear()
            for each in self.nodes:
                each._now.at += 2.0 * 1.02
            self.put = {}


@pytest.mark.timeout(3_000)
@pytest.mark.parametrize("steps", [10_000, pytest.param(1_000_000, marks=pytest.mark.slow)])
def test_never_the_value_of_the_other(own_server, node, steps):
    world = World(own_server(), node, seed=steps)
    count = effort(steps) if steps == 10_000 else steps
    for _ in range(count):
        world.step()
    assert world.served > count * 0.02
    assert world.nodes[0].stats().size <= 30


def test_the_right_to_make_what_is_there_by_now_is_given_to_nobody(server, node):
    one, other = (node(server, clock=FakeClock()) for _ in range(2))
    key = cache_key("acme", 1)
    mine = one.claim(key, 5.0)
    assert other.get(key) is None
    assert other.claim(key, 5.0) is None
    one.put(key, "paid")
    mine.release()
    assert other.claim(key, 5.0) is None
    assert other.get(key).value == "paid"
    one.invalidate(key)
    assert other.claim(key, 5.0) is not None, "and nobody holds it"
