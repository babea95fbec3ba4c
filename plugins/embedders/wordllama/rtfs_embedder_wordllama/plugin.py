"""What this distribution offers to rtfs_framework. Imports nothing heavy: the model is loaded when it is first read."""

from __future__ import annotations

from rtfs_embedder_wordllama.settings import WordLlamaSettings
from rtfs_framework.api import Embedder, EmbedderEntry, EmbedderSettings, Locality, hookimpl

rtfs_api_version = 2


@hookimpl
def rtfs_embedders() -> list[EmbedderEntry]:
    """Offer the embedder `wordllama`."""
    return [
        EmbedderEntry(
            name="wordllama",
            summary="Vectors of 256 numbers from a model of 16 MB that comes with its package.",
            locality=Locality.LOCAL,
            factory=_make,
            settings=WordLlamaSettings,
        )
    ]


def _make(settings: EmbedderSettings) -> Embedder:
    from rtfs_embedder_wordllama.embedder import WordLlamaEmbedder

    return WordLlamaEmbedder(settings.own or WordLlamaSettings())
