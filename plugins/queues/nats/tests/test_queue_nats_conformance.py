"""The queue keeps the contract of queues. The server's clock is real: leases are short, and time really passes."""

from __future__ import annotations

import time

import attrs
import pytest

from rtfs_framework.testing.conformance import QueueConformance
from rtfs_queue_nats.plugin import NatsSettings, rtfs_queues


class TestNatsQueue(QueueConformance):
    lease_seconds = 0.3
    patience = 20.0

    @pytest.fixture(autouse=True)
    def _server(self, server, prefix):
        self.server, self.prefix = server, prefix

    def make(self, settings):
        (entry,) = rtfs_queues()
        bounds = f"-{settings.most_items}-{settings.most_bytes}"  # what is made on other bounds is another queue
        own = NatsSettings(url=self.server.url, prefix=self.prefix + bounds, timeout=20.0)
        return entry.factory(attrs.evolve(settings, own=own))

    def pass_time(self, clock, seconds):
        clock.advance(seconds)
        time.sleep(seconds)
