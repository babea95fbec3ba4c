"""The embedder: all-MiniLM-L6-v2 with weights of 8 bits, run by onnxruntime in the thread that asks."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from platform import machine
from typing import Any

import numpy as np
import onnxruntime
import tokenizers

from rtfs_embedder_minilm.files import MODEL, TOKENIZER, digest_of, packaged
from rtfs_embedder_minilm.settings import MiniLmSettings
from rtfs_framework.api import ProviderError

_CHARACTERS = 32
"""Of a token at most, spaces counted: what lies beyond is cut before it is looked at, for that takes time, too."""
_ERRORS_ALONE = 3


class MiniLmEmbedder:
    """Averages what the model makes of a text's tokens. It keeps nothing between calls, so threads share it."""

    def __init__(self, settings: MiniLmSettings) -> None:
        """Load the model.

        Raises:
            FileNotFoundError: A package that brings it is not installed.
        """
        model, words = packaged(*MODEL), packaged(*TOKENIZER)
        self._characters = settings.tokens * _CHARACTERS
        self._tokenizer = tokenizers.Tokenizer.from_str(words.decode())
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(settings.tokens)
        self._session = _session(model, settings.threads)
        self._inputs = {each.name for each in self._session.get_inputs()}
        self._fingerprint = (
            f"minilm {digest_of(model)} {digest_of(words)} of {settings.tokens} by onnxruntime "
            f"{onnxruntime.__version__} tokenizers {tokenizers.__version__} threads {settings.threads} on {machine()}"
        )

    def fingerprint(self) -> str:
        """Return the digests of both files, what computes with them, and how much of a text counts."""
        return self._fingerprint

    def embed(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        """Return vectors of length 1.

        Raises:
            ProviderError: The model has none for a text.
        """
        return [self._vector(text) for text in texts]

    def _vector(self, text: str) -> list[float]:
        """Return the vector of one text: among others it would be padded, and rounded in another way."""
        # The tokenizer takes no half of a surrogate pair.
        seen = text[: self._characters].encode("utf-8", "replace").decode()
        ids = np.array([self._tokenizer.encode(seen).ids], dtype=np.int64)
        given = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        hidden = self._session.run(None, {name: given[name] for name in self._inputs})[0]
        mean = hidden[0].mean(axis=0, dtype=np.float64)
        found: list[float] = (mean / np.linalg.norm(mean)).astype(np.float32).tolist()
        if not all(map(isfinite, found)):
            raise ProviderError("minilm", "the model knows nothing of the text")
        return found


def _session(model: bytes, threads: int) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = _ERRORS_ALONE
    # Threads that wait for work would turn in circles on cores that others need.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
