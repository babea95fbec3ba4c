"""What this distribution offers to rtfs_framework. Imports nothing heavy: the model is loaded when it is first read."""

from __future__ import annotations

from rtfs_embedder_minilm.settings import MiniLmSettings
from rtfs_framework.api import Embedder, EmbedderEntry, EmbedderSettings, Locality, hookimpl

rtfs_api_version = 2


@hookimpl
def rtfs_embedders() -> list[EmbedderEntry]:
    """Offer the embedder `minilm`."""
    return [
        EmbedderEntry(
            name="minilm",
            summary="Vectors of 384 numbers from a transformer of 23 MB that comes with its package.",
            locality=Locality.LOCAL,
            factory=_make,
            settings=MiniLmSettings,
        )
    ]


def _make(settings: EmbedderSettings) -> Embedder:
    from rtfs_embedder_minilm.embedder import MiniLmEmbedder

    return MiniLmEmbedder(settings.own or MiniLmSettings())
