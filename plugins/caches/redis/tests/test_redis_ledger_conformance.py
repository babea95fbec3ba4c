"""The ledger keeps the contract of ledgers, at both kinds of servers."""

from __future__ import annotations

import itertools
import os

import pytest

from rtfs_cache_redis.ledger import RedisLedger
from rtfs_cache_redis.link import address_of
from rtfs_framework.testing.conformance import LedgerConformance

_NUMBERS = itertools.count()


class _AtAServer:
    @pytest.fixture(autouse=True)
    def _at(self, running):
        self.running, self.prefix = running, f"ledger-{os.getpid()}-{next(_NUMBERS)}"

    def at(self, kind, settings):
        return RedisLedger(address_of(self.running(kind).url, None, 5.0), self.prefix, settings.clock)


class TestLedgerAtValkey(_AtAServer, LedgerConformance):
    def make(self, settings):
        return self.at("valkey", settings)


class TestLedgerAtRedis(_AtAServer, LedgerConformance):
    def make(self, settings):
        return self.at("redis", settings)
