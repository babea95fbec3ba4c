"""The observer keeps the contract of observers."""

from __future__ import annotations

import pytest

from rtfs_framework.testing.conformance import ObserverConformance
from rtfs_observer_memory.memory import Memory
from rtfs_observer_memory.observer import MemoryObserver
from rtfs_observer_memory.settings import MemorySettings


class TestMemory(ObserverConformance):
    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path):
        self.folder = tmp_path / "memory"

    def make(self):
        return MemoryObserver(Memory(self.folder), MemorySettings())
