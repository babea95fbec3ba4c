"""What this distribution offers to rtfs_framework. Imports nothing heavy: the model is loaded when it is first read."""

from __future__ import annotations

from rtfs_embedder_e5.settings import E5Settings
from rtfs_framework.api import Embedder, EmbedderEntry, EmbedderSettings, Locality, hookimpl

rtfs_api_version = 2


@hookimpl
def rtfs_embedders() -> list[EmbedderEntry]:
    """Offer the embedder `e5`."""
    return [
        EmbedderEntry(
            name="e5",
            summary="Vectors of 384 numbers from a transformer of many languages, 72 MB, that comes with its package.",
            locality=Locality.LOCAL,
            factory=_make,
            settings=E5Settings,
        )
    ]


def _make(settings: EmbedderSettings) -> Embedder:
    from rtfs_embedder_e5.embedder import E5Embedder

    return E5Embedder(settings.own or E5Settings())
