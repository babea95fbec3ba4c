"""A set over a file of the test's own, called as a host calls it."""

from __future__ import annotations

import pytest

from rtfs_capability_kv import tables
from rtfs_capability_kv.plugin import KvGrant, KvSettings, rtfs_capability_sets
from rtfs_framework.api import CapabilityGrant, CapabilityRequest, CapabilitySetSettings


class Store:
    """Calls by name; `plain` and `marks` are of the last reply."""

    def __init__(self, folder, **own):
        (entry,) = rtfs_capability_sets()
        self.set = entry.factory(CapabilitySetSettings(own=KvSettings(**own), base=str(folder), directory=str(folder)))
        self.entries = {each.id.removeprefix("kv."): each for each in self.set.entries()}
        self.marks = frozenset()

    def __call__(self, name, *args, tenant="", marks=(), key="", prefixes=("",), carries=True):
        grants = (CapabilityGrant(KvGrant(prefixes=prefixes)),)
        entry = self.entries[name]
        request = CapabilityRequest(
            entry.id, args, grants=grants, tenant=tenant, marks=frozenset(marks), key=key, carries_marks=carries
        )
        reply = entry.handler(request)
        self.marks = getattr(reply, "marks", frozenset())
        return reply.value if self.marks else reply


class Clock:
    """Microseconds since the epoch; as it stands still, versions are 1, 2, 3 ..."""

    now = 0


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    found = Clock()
    monkeypatch.setattr(tables, "time_ns", lambda: found.now * 1000 + 999)
    return found


@pytest.fixture
def opened(tmp_path):
    made = []

    def make(**own):
        made.append(Store(tmp_path, **own))
        return made[-1]

    yield make
    for store in made:
        store.set.close()


@pytest.fixture
def kv(opened):
    return opened()
