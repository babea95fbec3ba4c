"""The store keeps the contract of what is only read."""

from __future__ import annotations

from typing import ClassVar

import pytest

from rtfs_framework.testing.conformance import MirrorConformance
from rtfs_framework.testing.memory_store import MemoryStore


class TestHttpStore(MirrorConformance):
    lists_blobs: ClassVar[bool] = False

    @pytest.fixture(autouse=True)
    def _server(self, serving, made):
        self.serving, self.made = serving, made

    def filled(self, blobs, names):
        return self.made(self.serving(MemoryStore(dict(blobs), dict(names))).url)
