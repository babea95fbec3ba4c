"""The embedder keeps the contract of embedders."""

from __future__ import annotations

from rtfs_embedder_e5.embedder import E5Embedder
from rtfs_embedder_e5.settings import E5Settings
from rtfs_framework.testing.conformance import EmbedderConformance


class TestE5(EmbedderConformance):
    def make(self):
        return E5Embedder(E5Settings(characters=48))
