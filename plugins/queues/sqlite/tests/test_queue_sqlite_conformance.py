"""The queue keeps the contract of queues."""

from __future__ import annotations

import attrs
import pytest

from rtfs_framework.testing.conformance import QueueConformance
from rtfs_queue_sqlite.plugin import rtfs_queues


class TestSqliteQueue(QueueConformance):
    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path):
        self.folder = tmp_path

    def make(self, settings):
        (entry,) = rtfs_queues()
        return entry.factory(attrs.evolve(settings, directory=str(self.folder)))
