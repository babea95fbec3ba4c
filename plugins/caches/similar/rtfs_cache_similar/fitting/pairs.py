"""Labelled pairs of questions, and their vectors.

In: a CSV or JSON Lines file, plain or gzipped, with the columns `question_a`, `question_b` and `same_meaning` (0 or 1).
Out: `Pairs`, or a `FileError` that names the line.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import numpy.typing as npt

from rtfs_framework.api import EmbedderSettings, private_file
from rtfs_framework.api.fitting import MALFORMED, NO_LIBRARY, TOO_FEW, UNREADABLE, FileError, Told, read_rows

FIRST, SECOND, SAME = "question_a", "question_b", "same_meaning"
LEAST = 150
"""Pairs: with fewer, nothing can be said of a share of 1 %."""
_WORDS = {"0": False, "1": True, "false": False, "true": True}
_AT_ONCE = 256
Vectors = npt.NDArray[np.float32]


@attrs.frozen(slots=True, eq=False)
class Pairs:
    """Texts, and pairs of their places."""

    texts: tuple[str, ...]
    first: tuple[int, ...]
    second: tuple[int, ...]
    same: tuple[bool, ...]
    digest: str

    def alike(self) -> frozenset[tuple[int, int]]:
        """Return the pairs that mean the same, both ways round."""
        found = [(one, other) for one, other, same in zip(self.first, self.second, self.same, strict=True) if same]
        return frozenset(found) | {(other, one) for one, other in found}

    def components(self) -> list[int]:
        """Return, for each text, the component of texts that pairs connect it to: the smallest place in it."""
        root = list(range(len(self.texts)))

        def top(place: int) -> int:
            while root[place] != place:
                root[place] = root[root[place]]
                place = root[place]
            return place

        for one, other in zip(self.first, self.second, strict=True):
            low, high = sorted((top(one), top(other)))
            root[high] = low
        return list(map(top, range(len(root))))


def read_pairs(path: Path) -> Pairs:
    """Return the pairs of a file.

    Raises:
        FileError: There is no such file, it cannot be read, a line of it is malformed, or it has too few.
    """
    found = read_rows(path, (FIRST, SECOND, SAME))
    places: dict[str, int] = {}
    rows = [_row(row.said, row.place, places) for row in found.rows]
    if len(rows) < LEAST:
        way_out = f"give at least {LEAST:,} pairs; some thousands make a good prior"
        raise FileError(TOO_FEW, f"it has {len(rows):,} pairs, which is too few", way_out, str(path))
    first, second, same = zip(*rows, strict=True)
    if not 0 < sum(same) < len(same):
        way_out = "give pairs that mean the same, and pairs that do not"
        raise FileError(TOO_FEW, "all pairs have the same label", way_out, str(path))
    return Pairs(tuple(places), first, second, same, found.digest)


def _row(said: Mapping[Any, Any], place: str, places: dict[str, int]) -> tuple[int, int, bool]:
    texts = [said[column] for column in (FIRST, SECOND)]
    for column, text in zip((FIRST, SECOND), texts, strict=True):
        if not isinstance(text, str) or not text.strip():
            raise FileError(MALFORMED, f"'{column}' is no text", "leave the row out, or say what was asked", place)
    raw = said[SAME]
    same = _WORDS.get(str(int(raw) if isinstance(raw, bool) else raw).strip().lower())
    if same is None:
        raise FileError(MALFORMED, f"'{SAME}' is {raw!r:.40}", "write 1 for the same meaning, else 0", place)
    one, other = (places.setdefault(text, len(places)) for text in texts)
    return one, other, same


def vectors_of(texts: Sequence[str], embedder: str, kept: Path | None, told: Told) -> tuple[str, Vectors]:
    """Return an installed embedder's fingerprint, and its vectors, (texts, dimension); `kept` is a file for them.

    Raises:
        FileError: There is no such embedder, or the file does not fit.
    """
    if kept is not None and kept.exists():
        return _read(kept, texts)
    made = _embedder(embedder)
    who: str = made.fingerprint()
    found = []
    for place in range(0, len(texts), _AT_ONCE):
        found.append(np.asarray(made.embed(texts[place : place + _AT_ONCE]), dtype=np.float32))
        told(min(len(texts), place + _AT_ONCE))
    vectors = np.concatenate(found)
    if kept is not None:
        private_file(kept.resolve())  # it holds the texts of requests
        with kept.open("wb") as file:
            np.savez(file, texts=np.asarray(texts), vectors=vectors, embedder=np.asarray(who))
    return who, vectors


def _read(kept: Path, texts: Sequence[str]) -> tuple[str, Vectors]:
    way_out = f"remove {kept}: it is made anew"
    try:
        with np.load(kept, allow_pickle=False) as held:
            known, vectors, who = held["texts"], held["vectors"], str(held["embedder"])
    except (OSError, ValueError, KeyError) as error:
        raise FileError(UNREADABLE, "it holds no vectors", way_out, str(kept)) from error
    place = {text: number for number, text in enumerate(known.tolist())}
    if vectors.ndim != 2 or len(place) != len(vectors) or not all(text in place for text in texts):
        raise FileError(UNREADABLE, "it lacks the vectors of some questions", way_out, str(kept))
    found: Vectors = vectors[[place[text] for text in texts]].astype(np.float32)
    return who, found


def _embedder(name: str) -> Any:
    """Return an embedder with its defaults."""
    for point in entry_points(group="rtfs_framework", name=name):
        for entry in getattr(point.load(), "rtfs_embedders", list)():
            if entry.name == name:
                return entry.factory(EmbedderSettings(name=name))
    raise FileError(NO_LIBRARY, f"there is no embedder '{name}'", f"pip install rtfs-embedder-{name}, or name another")
