"""The embedder: WordLlama's packaged model, loaded from the package's own folder and from nowhere else."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from importlib.metadata import version
from math import isfinite
from pathlib import Path
from typing import Any

from rtfs_embedder_wordllama.settings import WordLlamaSettings
from rtfs_framework.api import ProviderError

_MODEL, _LENGTH = "l2_supercat", 256


class WordLlamaEmbedder:
    """Averages what the model knows of a text's words. It keeps nothing between calls, so threads share it."""

    def __init__(self, settings: WordLlamaSettings) -> None:
        """Load the model.

        Raises:
            Exception: The package is not there, or its files are not.
        """
        self._characters = settings.characters
        self._model = _load()
        self._fingerprint = f"wordllama {version('wordllama')} {_MODEL} {_LENGTH} of {self._characters}"

    def fingerprint(self) -> str:
        """Return the version of the package with its model, and how much of a text counts."""
        return self._fingerprint

    def embed(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        """Return vectors of length 1.

        Raises:
            ProviderError: The model has none for a text.
        """
        return [self._vector(text) for text in texts]

    def _vector(self, text: str) -> list[float]:
        """Return the vector of one text: among others it would be padded, and rounded in another way."""
        # The model has no token for no text, and takes no half of a surrogate pair.
        seen = text[: self._characters].encode("utf-8", "replace").decode() or " "
        found: list[float] = self._model.embed([seen], norm=True)[0].tolist()
        if not all(map(isfinite, found)):
            raise ProviderError("wordllama", "the model knows nothing of the text")
        return found


def _load() -> Any:
    """Return the model. Its package finds one of its two files only as a download, so it is told that they are there.

    Raises:
        FileNotFoundError: The package has no such file; nothing is ever downloaded.
    """
    root, silent = logging.getLogger(), logging.NullHandler()
    root.addHandler(silent)  # with a handler there, the package's `basicConfig` does not make all of the host talk
    try:
        import wordllama
    finally:
        root.removeHandler(silent)
    folder = Path(wordllama.__file__).parent
    return wordllama.WordLlama.load(_MODEL, cache_dir=folder, dim=_LENGTH, disable_download=True)
