"""Both capabilities keep the contract of capabilities."""

from __future__ import annotations

import attrs
import pytest

from rtfs_framework.api import Keyword, Map
from rtfs_framework.testing.conformance import CapabilityConformance


class _Granted(CapabilityConformance):
    @pytest.fixture(autouse=True)
    def _servers(self, web):
        self.web = web
        self.url = f"http://good.example:{web.good.port}/"

    def granting(self, entry, **own):
        grant = self.web.grant(**own)
        handler = entry.handler

        async def granted(request):
            return await handler(attrs.evolve(request, grants=(grant,)))

        return attrs.evolve(entry, handler=granted)

    def refused(self):
        return [("https://elsewhere.example/",), (7,), (Map.of([(Keyword("url"), None)]),), ("",)]


class TestFetch(_Granted):
    def make(self):
        return self.granting(self.web.fetch_entry)

    def accepted(self):
        return [(self.url,), (Map.of([(Keyword("url"), self.url), (Keyword("method"), "HEAD")]),)]


class TestSend(_Granted):
    def make(self):
        return self.granting(self.web.send_entry, methods=("POST", "PUT"))

    def accepted(self):
        return [(self.url,), (Map.of([(Keyword("url"), self.url), (Keyword("method"), Keyword("put"))]),)]
