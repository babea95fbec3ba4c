"""The engine keeps the contract of engines."""

from __future__ import annotations

from rtfs_engine_static.engine import StaticEngine
from rtfs_framework.testing.conformance.engine import EngineConformance


class TestStaticEngine(EngineConformance):
    def make(self, settings):
        return StaticEngine(settings)
