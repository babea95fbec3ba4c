"""Two tenants, the same requests: in any order of puts, gets, evictions, expiries, kills, only one's own."""

from __future__ import annotations

import random

import pytest

from rtfs_cache_l2.layer import Keeping, ReplyCache
from rtfs_cache_l2.rows import Rows
from rtfs_cache_l2.store import Store
from rtfs_framework.api import CacheInfo, CacheKey
from rtfs_framework.orchestrator.remembering.keyring import Keyring
from rtfs_framework.orchestrator.remembering.keys import key_of


def key(tenant, i):
    parts = (("tenant", tenant), ("arguments", str(i)))
    return CacheKey("reply", key_of(*(text for part in parts for text in part)), parts)


def mixed(folder, clock, operations, seed):
    """Do so many operations by chance; return how many gets were answered."""
    draw, answered, current = random.Random(seed), 0, {}
    seal = Keyring(lambda: str(folder)).seal("cache")

    def opened():
        keeping = Keeping(capacity=60, capacity_bytes=30_000, ttl=50.0, policy=draw.choice(("lru", "lfu", "random")))
        return ReplyCache(Store(str(folder), Rows(seal)), keeping, clock=clock)

    layers = [opened(), opened()]
    for n in range(operations):
        tenant, i, layer = draw.choice("ab"), draw.randrange(50), draw.choice(layers)
        act = draw.random()
        if act < 0.5:
            record = layer.get(key(tenant, i))
            if record is not None:
                answered += 1
                assert (record.value, record.info.tenant) == (current[tenant, i], tenant)
        elif act < 0.9:
            current[tenant, i] = f"{tenant} {i} {n}" * draw.choice((1, 100))
            layer.put(key(tenant, i), current[tenant, i], None, CacheInfo(tenant=tenant))
        elif act < 0.96:
            layer.invalidate(key(tenant, i))
        elif act < 0.98:
            clock.advance(draw.uniform(0.0, 30.0))
        elif act < 0.995:
            at = draw.randrange(2)
            if draw.random() < 0.5:
                layers[at].close()
            else:
                layers[at]._store.close()  # as if its process had been killed: what it had not noted is lost
            layers[at] = opened()
        else:
            layer.clear()
    for layer in layers:
        layer.close()
    return answered


def test_never_each_others_answer(tmp_path, clock):
    assert mixed(tmp_path, clock, 3_000, 14) > 200


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_never_each_others_answer_in_very_many_operations(tmp_path, clock):
    answered = sum(mixed(tmp_path / str(seed), clock, 50_000, seed) for seed in range(4))
    print(f"{answered:,} answers")
    assert answered > 20_000
