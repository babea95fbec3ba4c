"""Questions for vectors and their answers as texts: remembered and written down like words."""

from __future__ import annotations

import json
import struct
from base64 import b64decode, b64encode
from collections.abc import Iterable, Sequence
from math import isfinite
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rtfs_framework.orchestrator.deciding.asked_embedding import Vectors

_LONGEST = 65_536
"""Numbers of a vector."""


def write_texts(texts: Sequence[str]) -> str:
    """Return the texts of a question for their vectors."""
    return json.dumps(list(texts), ensure_ascii=False)


def read_texts(question: str) -> tuple[str, ...]:
    """Return the texts of which a question wants the vectors."""
    return tuple(json.loads(question))


def write_vectors(vectors: Iterable[Sequence[float]]) -> str:
    """Return vectors as the text of an answer: numbers of 32 bits."""
    return " ".join(b64encode(struct.pack(f"<{len(each)}f", *each)).decode() for each in vectors)


def read_vectors(text: str, count: int) -> Vectors | None:
    """Return the vectors of an answer, None where these are none."""
    try:
        found = tuple(
            tuple(number for (number,) in struct.iter_unpack("<f", b64decode(each))) for each in text.split(" ")
        )
    except (ValueError, struct.error):
        return None
    fits = len(found) == count and len({len(each) for each in found}) == 1 and 0 < len(found[0]) <= _LONGEST
    return found if fits and all(isfinite(number) for each in found for number in each) else None
