"""No tenant is ever given what another one put: random operations on one layer, under keys that differ in the tenant.

Keys are made as the host makes its own: of all parts, the tenant among them. Each value says whose it is.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from rtfs_framework.api import CacheKey, CacheLayer
from rtfs_framework.testing.clock import FakeClock
from rtfs_framework.testing.conformance.base import check
from rtfs_framework.testing.fakes import cache_key

TENANTS = ("", "acme", "acme ", "umbrella")
REQUESTS = 30


def check_tenants(
    layer: CacheLayer, clock: FakeClock, value: Callable[[int], Any], *, operations: int, seed: int = 5
) -> None:
    """Fail when a look-up, or a scan, gives a tenant another one's value, or one that was taken out or replaced."""
    chance = random.Random(seed)  # noqa: S311 - repeatable
    latest: dict[CacheKey, Any] = {}
    keys = [[_key(tenant, request) for request in range(REQUESTS)] for tenant in TENANTS]
    values = [value(i) for i in range(len(TENANTS) * REQUESTS * 2)]
    for _ in range(operations):
        tenant, request, what = chance.randrange(len(TENANTS)), chance.randrange(REQUESTS), chance.random()
        key = keys[tenant][request]
        if what < 0.5:
            record = layer.get(key)
            expected = latest.get(key)
            check(record is None or record.value == expected, f"{key!r} has {expected!r}, and was given {record!r}")
        elif what < 0.9:
            latest[key] = values[(tenant * REQUESTS + request) * 2 + chance.randrange(2)]
            layer.put(key, latest[key], chance.choice((None, 1.0, 20.0)))
        elif what < 0.97:
            layer.invalidate(key)
            latest.pop(key, None)
        elif what < 0.999:
            clock.advance(chance.random() * 2.0)
        else:
            layer.clear()
            latest.clear()
    for item in layer.scan():
        check(item.record.value == latest.get(item.key), f"a scan shows {item!r}, put was {latest.get(item.key)!r}")


def _key(tenant: str, request: int) -> CacheKey:
    return cache_key(request, *(("tenant", tenant) if tenant else ()), namespace="reply")
