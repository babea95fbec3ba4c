"""A prior: a model of P(same answer), and what serving by it gave on judged pairs that it was not fitted to."""

from __future__ import annotations

import json
from functools import cached_property
from pathlib import Path
from typing import Any

import attrs
import numpy as np

from rtfs_cache_similar.deciding.bounds import exact
from rtfs_cache_similar.deciding.features import Vector
from rtfs_cache_similar.deciding.model import Model, read_model
from rtfs_cache_similar.deciding.rarity import PLAIN, Rarity, read_rarity
from rtfs_framework.api.fitting import DamagedError, model_data, read_numbers, read_table

GRID: Vector = np.arange(20, 99) / 100.0
"""The thresholds."""
FORMAT, VERSION = "rtfs-similar-prior", 4
_DELTA = 0.04
_BOTH_SAMPLES = 1.5
_ORIGIN = "it is written by `rtfs learn similar FILE --out MODEL`"


@attrs.frozen(eq=False)
class Prior:
    """Plain numbers."""

    model: Model
    looked: float
    """Look-ups that it rests on."""
    judged: Vector
    """Of them, those that pass, by threshold."""
    wrong: Vector
    spread: Vector
    """How many wrong answers come together, by threshold: the variance of their number, as a multiple of itself."""
    rarity: Rarity = PLAIN
    """How rare the words of its questions are."""
    embedder: str = ""
    """The fingerprint of the embedder of its vectors, "" where none is known: of others it says nothing."""
    digest: str = ""

    @property
    def shares(self) -> Vector:
        """The share of look-ups that pass, by threshold."""
        return self.judged / max(self.looked, 1.0)

    @cached_property
    def bounds(self) -> Vector:
        """The upper bounds of the share of wrong answers among those, by threshold.

        Wrong answers that come together (of one question, asked twice or in several orders; of questions that pairs
        connect) are worth as many as vary like them: both counts are divided by their spread (McCullagh and Nelder,
        "Generalized linear models", 1989, 4.5). What will be served is a sample as well, whose own chance adds to that
        of the pairs: over twice as many look-ups as the prior's it is half as large, hence 1.5 times the spread.
        """
        spread = _BOTH_SAMPLES * self.spread
        counts = zip(self.wrong / spread, self.judged / spread, strict=True)
        return np.array([exact(float(wrong), int(judged), _DELTA) for wrong, judged in counts])

    def to_bytes(self) -> bytes:
        """Return the file."""
        data = {"format": FORMAT, "version": VERSION, "embedder": self.embedder, "model": self.model.as_data(),
                "looked": self.looked, "judged": self.judged.tolist(), "wrong": self.wrong.tolist(),
                "spread": self.spread.tolist(), "rarity": self.rarity.as_data()}  # fmt: skip
        return json.dumps(data, separators=(",", ":"), allow_nan=False).encode()


def load_prior(path: Path) -> Prior:
    """Return the prior of a file.

    Raises:
        FileError: There is none, or it is damaged.
    """
    return model_data(path, "a prior of similar questions", _ORIGIN, _prior)


def read_prior(data: bytes, place: str = "<prior>") -> Prior:
    """Return the prior of a file's bytes.

    Raises:
        FileError: They are none: cut short, changed by hand, or of another version.
    """
    return model_data(data, "a prior of similar questions", _ORIGIN, _prior, place)


def _prior(data: Any, digest: str) -> Prior:
    top = read_table(
        data, "the file", ("format", "version", "embedder", "model", "looked", "judged", "wrong", "spread", "rarity")
    )
    if top["format"] != FORMAT:
        raise DamagedError(f"its format is not '{FORMAT}'")
    if top["version"] != VERSION or isinstance(top["version"], bool):
        raise DamagedError(f"its version is {top['version']!r:.20}, and this one reads {VERSION}: fit it again")
    if not isinstance(top["embedder"], str):
        raise DamagedError("'embedder' is no text")
    judged, wrong, spread = (counted(top[key], key) for key in ("judged", "wrong", "spread"))
    looked = counted([top["looked"]], "looked", 1)[0]
    if not (spread > 0.0).all():
        raise DamagedError("a spread is not above 0")
    if (wrong > judged).any() or (judged > looked).any():
        raise DamagedError("more answers are wrong than judged, or more judged than looked up")
    model, rarity = read_model(top["model"], "model"), read_rarity(top["rarity"], "rarity")
    return Prior(model, float(looked), judged, wrong, spread, rarity, top["embedder"], digest)


def counted(data: Any, name: str, length: int = len(GRID)) -> Vector:
    """Return counts.

    Raises:
        DamagedError: They are not so many, or one is below 0.
    """
    found = np.asarray(read_numbers(data, name))
    if len(found) != length or (found < 0.0).any():
        raise DamagedError(f"'{name}' is not {length} numbers of 0 or more")
    return found
