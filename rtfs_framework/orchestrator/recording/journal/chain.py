"""What proves the log: every row has a keyed hash over itself, its place and the hash of the row before it.

The keys are made of the user's journal key (`keyfile`) and of the journal's own random id, which is in its first row:
rows of another journal, or under another key, fit nowhere. Digests of values and texts are keyed too, so that nobody
without the key can find a short argument by trying; equal values have equal digests within one journal.
"""

from __future__ import annotations

import json
from hashlib import blake2b, sha256
from typing import Any, NamedTuple

import attrs

_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)

START = b""
"""What stands before the first row."""


class Row(NamedTuple):
    """A row of the log without its hash; the columns of `schema.COLUMNS`."""

    position: int
    run: int | None
    what: str
    entry: int | None
    record: int | None
    id: str
    body: str


@attrs.frozen(slots=True)
class Head:
    """A place in a log, and the hash of the row there: it stands for all rows up to it."""

    position: int = 0
    hash: bytes = START

    def __str__(self) -> str:
        return f"{self.position}:{self.hash.hex()}"

    @classmethod
    def parse(cls, text: str) -> Head:
        """Return the head that a text names.

        Raises:
            ValueError: It names none.
        """
        position, _, digits = text.strip().partition(":")
        made = cls(int(position), bytes.fromhex(digits))
        if made.position < 1 or len(made.hash) != _SIZE:
            raise ValueError(text)
        return made


_SIZE = 32
_SHORT = 16


@attrs.frozen(slots=True, repr=False)
class Keys:
    """The keys of one journal."""

    journal: str
    """The journal's id, hexadecimal."""
    rows: bytes
    values: bytes
    texts: bytes
    heads: bytes
    stumps: bytes
    _row: Any = attrs.field(init=False, eq=False)
    """What begins the hash of each row, and is copied for it: making one takes as long as hashing does."""
    _value: Any = attrs.field(init=False, eq=False)
    _text: Any = attrs.field(init=False, eq=False)

    @_row.default
    def _of_rows(self) -> Any:
        return blake2b(key=self.rows, digest_size=_SIZE)

    @_value.default
    def _of_values(self) -> Any:
        return blake2b(key=self.values, digest_size=_SHORT)

    @_text.default
    def _of_texts(self) -> Any:
        return blake2b(key=self.texts, digest_size=_SHORT)

    @classmethod
    def of(cls, secret: bytes, journal: str) -> Keys:
        """Derive them from the user's key."""
        made = (
            blake2b(f"rtfs journal {purpose} {journal}".encode("utf-8", "backslashreplace"), key=secret).digest()[
                :_SIZE
            ]
            for purpose in ("rows", "values", "texts", "heads", "stumps")
        )
        return cls(journal, *made)

    def row(self, row: Row, parent: bytes) -> bytes:
        """Return the hash of a row that follows the one with the hash `parent`."""
        return self.hashed(parent, *row)

    def hashed(
        self,
        parent: bytes,
        position: int,
        run: int | None,
        what: str,
        entry: int | None,
        record: int | None,
        id_: str,
        body: str,
    ) -> bytes:
        """Return the hash of the row of these columns. Whoever proves many rows makes no tuple of each.

        No part holds the byte that parts the others: a JSON text and an id have none.
        """
        text = f"{position}\0{run}\0{what}\0{entry}\0{record}\0{id_}\0{body}"
        made = self._row.copy()
        made.update(parent + text.encode("utf-8", "surrogatepass"))
        found: bytes = made.digest()
        return found

    def proves(self, parent: bytes, row: tuple[Any, ...]) -> bool:
        """Tell whether a row as it lies in the file, its hash included, follows the one with the hash `parent`.

        The same as `hashed`, for whoever goes through a whole log: all columns are of their own types.
        """
        position, run, what, entry, record, id_, body, hash_ = row
        made = self._row.copy()
        text = f"{position}\0{run}\0{what}\0{entry}\0{record}\0{id_}\0{body}"
        made.update(parent + (text.encode() if text.isascii() else text.encode("utf-8", "surrogatepass")))
        return bool(made.digest() == hash_)

    def value(self, digest: str) -> str:
        """Return the keyed digest of a value whose own digest is given; "" stays."""
        if not digest:
            return ""
        made = self._value.copy()
        made.update(digest.encode())
        found: str = made.hexdigest()
        return found

    def text(self, text: str) -> str:
        """Return the keyed digest of a text."""
        made = self._text.copy()
        made.update(text.encode() if text.isascii() else text.encode("utf-8", "surrogatepass"))
        found: str = made.hexdigest()
        return found

    def head(self, head: Head) -> str:
        """Return the proof of a head that is kept outside the file."""
        return blake2b(str(head).encode(), key=self.heads, digest_size=_SIZE).hexdigest()

    def stump(self, text: str) -> str:
        """Return the proof of what stays of rows that were cut."""
        return blake2b(text.encode(), key=self.stumps, digest_size=_SIZE).hexdigest()


def canonical_json(data: Any) -> str:
    """Return the one JSON text of plain data: sorted names, no spaces, ASCII."""
    return _ENCODER.encode(data)


def text_digest(text: str) -> str:
    """Return the SHA-256 (hex) of a text."""
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
