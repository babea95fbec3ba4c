"""The capabilities keep the contract of capabilities."""

from __future__ import annotations

import attrs
import pytest

from rtfs_capability_kv.plugin import KvGrant
from rtfs_framework.api import CapabilityGrant, Keyword, Map
from rtfs_framework.testing.conformance import CapabilityConformance

PUT = Map.of([(Keyword("op"), Keyword("put")), (Keyword("key"), "t"), (Keyword("value"), 1)])
ACCEPTED = {
    "get": [("a",), (Keyword("a"),), (Map.of([(Keyword("key"), "a")]),)],
    "read": [(("a", "b"),), ((),)],
    "keys": [("",), (Map.of([]),)],
    "put": [("a", 1), (Map.of([("key", "a"), (Keyword("value"), None)]),), ("a", Map.of([("x", (1, 2.0))]))],
    "delete": [("a",)],
    "add": [("n", 2)],
    "replace": [("r", None, 1)],
    "transaction": [((PUT, PUT),), ((),)],
}


@pytest.mark.parametrize("name", ACCEPTED)
class TestKv(CapabilityConformance):
    @pytest.fixture(autouse=True)
    def _store(self, kv, name):
        self.kv, self.name = kv, name

    def make(self):
        entry, grants = self.kv.entries[self.name], (CapabilityGrant(KvGrant()),)
        return attrs.evolve(entry, handler=lambda request: entry.handler(attrs.evolve(request, grants=grants)))

    def accepted(self):
        return ACCEPTED[self.name]

    def refused(self):
        return [(("\0",) if self.name in ("read", "transaction") else "\0", 1, 1)]
