"""Keys of texts: SHA-256 over frames, so that no two different rows of texts share a key."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hashlib import _Hash

Begins = tuple[tuple[str, str], ...]
_MOST_BEGUN = 512


def key_of(*texts: str) -> str:
    """Return the digest (hex) of a row of texts. Each is framed by its length: swapped or joined ones differ."""
    return sha256(_framed(texts)).hexdigest()


class Keys:
    """Makes keys of rows that begin alike, as those of one function's requests do: how they begin is hashed once."""

    def __init__(self) -> None:
        self._begun: dict[Begins, _Hash] = {}

    def of(self, begins: Begins, *texts: str) -> str:
        """Return `key_of` all texts of some pairs, and further ones."""
        begun = self._begun.get(begins)
        if begun is None:
            if len(self._begun) >= _MOST_BEGUN:
                self._begun.clear()
            begun = self._begun[begins] = sha256(_framed(tuple(text for pair in begins for text in pair)))
        made = begun.copy()
        made.update(_framed(texts))
        return made.hexdigest()


def _framed(texts: tuple[str, ...]) -> bytes:
    return "".join([f"{len(text)}:{text}" for text in texts]).encode("utf-8", "surrogatepass")
