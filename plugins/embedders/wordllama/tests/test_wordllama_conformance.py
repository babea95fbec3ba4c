"""The embedder keeps the contract of embedders."""

from __future__ import annotations

from rtfs_embedder_wordllama.embedder import WordLlamaEmbedder
from rtfs_embedder_wordllama.settings import WordLlamaSettings
from rtfs_framework.testing.conformance import EmbedderConformance


class TestWordLlama(EmbedderConformance):
    def make(self):
        return WordLlamaEmbedder(WordLlamaSettings())


class TestOfLittle(TestWordLlama):
    def make(self):
        return WordLlamaEmbedder(WordLlamaSettings(characters=64))
