"""The embedder keeps the contract of embedders."""

from __future__ import annotations

from rtfs_embedder_minilm.embedder import MiniLmEmbedder
from rtfs_embedder_minilm.settings import MiniLmSettings
from rtfs_framework.testing.conformance import EmbedderConformance


class TestMiniLm(EmbedderConformance):
    def make(self):
        return MiniLmEmbedder(MiniLmSettings())


class TestOfLittle(TestMiniLm):
    def make(self):
        return MiniLmEmbedder(MiniLmSettings(tokens=32, threads=2))
