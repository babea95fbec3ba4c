"""The capabilities keep the contract of capabilities."""

from __future__ import annotations

import pytest

from rtfs_capability_streams.plugin import rtfs_capability_sets
from rtfs_framework.api import CapabilitySetSettings, Keyword, Map
from rtfs_framework.testing.conformance import CapabilityConformance

RANGE = Map.of([(Keyword("range"), (0, 3))])


class _Streams(CapabilityConformance):
    id = ""

    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path):
        (entry,) = rtfs_capability_sets()
        self.set = entry.factory(CapabilitySetSettings(directory=str(tmp_path)))
        yield
        self.set.close()

    def make(self):
        return next(each for each in self.set.entries() if each.id == self.id)


class TestStart(_Streams):
    id = "marketplace.stream.start"

    def accepted(self):
        return [("feed",), (RANGE,), (RANGE, Map.of([(Keyword("of"), Keyword("int"))]))]

    def refused(self):
        return [(), (1,), (Map.of(()),), (RANGE, 1), (RANGE, Map.of([(Keyword("of"), 5)]))]


class TestSend(_Streams):
    id = "marketplace.stream.send"

    def accepted(self):
        return [("feed", 1), (Map.of([(Keyword("sink"), "feed")]), "x")]

    def refused(self):
        return [(), ("feed",), (1, 2), ("feed", 1, 2), ("", 1)]


class TestInspect(_Streams):
    id = "mcp.stream.inspect"

    def accepted(self):
        return []

    def refused(self):
        return [(), (1,), ("nothing",)]
