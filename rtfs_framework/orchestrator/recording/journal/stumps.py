"""Stumps: what stays of rows that were cut, so that the chain still holds and nobody without the key can cut any.

A run of rows without a hole gives way to one row, "stump", at the last one's place and with its hash. It says where
they began, how many they were, the hash of the row before, and the beginning of each one's hash, all of it under the
journal's key. So rows that follow still fit, and a head that was taken while one of them was the last is still proved.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Iterable
from hmac import compare_digest
from typing import TYPE_CHECKING, Any, NamedTuple

from rtfs_framework.orchestrator.recording.journal.chain import START, Head, Keys, canonical_json
from rtfs_framework.orchestrator.recording.journal.decisions import decisions_of, parts_of
from rtfs_framework.orchestrator.recording.journal.schema import INSERT_ROW, refusing

if TYPE_CHECKING:
    import sqlite3

STUMP = "stump"
_MARK = 8
"""Bytes of each row's hash that stay."""
_HASH = 32
_AT = "SELECT what, position, hash, body FROM log WHERE position >= ? ORDER BY position LIMIT 1"
_NAMING = """
SELECT position, body FROM log WHERE position > ? AND (instr(body, '"decision":') OR instr(body, '"situation":'))
"""
_GUARDED = ("log", "plans")


class Stump(NamedTuple):
    """What stays of the rows from `first` to `last`."""

    first: int
    last: int
    parent: bytes
    """The hash of the row before the first."""
    hash: bytes
    """Of the last."""
    marks: bytes
    rows: int
    """How many rows give way to it: those, or stumps of before that it takes in."""

    def body(self, keys: Keys) -> str:
        """Return the JSON of its row."""
        marks = b64encode(self.marks).decode("ascii")
        told = {"first": self.first, "parent": self.parent.hex(), "marks": marks}
        proof = keys.stump(canonical_json({**told, "last": self.last, "hash": self.hash.hex()}))
        return canonical_json({**told, "proof": proof})

    def has(self, head: Head) -> bool:
        """Tell whether a head is that of one of its rows."""
        if not self.first <= head.position <= self.last:
            return False
        at = (head.position - self.first) * _MARK
        return self.marks[at : at + _MARK] == head.hash[:_MARK]

    @classmethod
    def read(cls, position: int, hash_: bytes, body: str, keys: Keys | None) -> Stump | None:
        """Return the stump of a row; None for one that was changed, as far as `keys` tell."""
        try:
            told = json.loads(body)
            marks = b64decode(told["marks"], validate=True)
            made = cls(int(told["first"]), position, bytes.fromhex(told["parent"]), hash_, marks, 1)
        except (ValueError, TypeError, KeyError, RecursionError):
            return None
        if len(made.marks) != _MARK * (made.last - made.first + 1):
            return None
        return made if keys is None or compare_digest(made.body(keys), body) else None


def mark_of(hash_: bytes) -> bytes:
    """Return what stays of a row's hash."""
    return hash_[:_MARK]


def has_head(db: sqlite3.Connection, head: Head, keys: Keys | None) -> bool:
    """Tell whether a head is in a file: that of a row, or of one that was cut. Without keys stumps are believed."""
    if not head.position:
        return True
    row = db.execute(_AT, (head.position,)).fetchone()
    if row is None:
        return False
    what, position, hash_, body = row
    if position == head.position and hash_ == head.hash:
        return True
    found = Stump.read(position, hash_, body, keys) if what == STUMP else None
    return found is not None and found.has(head)


class Cutting(NamedTuple):
    """Rows that give way to stumps, decisions that no row names any more, and what the row about it says."""

    stumps: tuple[Stump, ...]
    plans: tuple[str, ...]
    body: dict[str, Any]
    scanned: int = 0
    """Up to where somebody has looked for rows that name a decision."""

    def carry_out(self, db: sqlite3.Connection, keys: Keys, still_named: Iterable[str]) -> bool:
        """Do it, inside a transaction: the triggers that refuse it are away for that long only.

        Returns whether all was as it was found; if not, the transaction must be undone.
        """
        for table in _GUARDED:
            db.execute(f"DROP TRIGGER IF EXISTS {table}_no_delete")
        for stump in self.stumps:
            between = (stump.first, stump.last)
            db.execute("DELETE FROM texts WHERE position BETWEEN ? AND ?", between)
            if db.execute("DELETE FROM log WHERE position BETWEEN ? AND ?", between).rowcount != stump.rows:
                return False
            row = (stump.last, None, STUMP, None, None, "", stump.body(keys), stump.hash)
            db.execute(INSERT_ROW, row)
        named = frozenset(still_named)
        gone = [(digest,) for digest in self.plans if digest not in named]
        db.executemany("DELETE FROM plans WHERE digest = ?", gone)
        for table in _GUARDED:
            db.execute(refusing(table, "DELETE"))
        return True


def joined(db: sqlite3.Connection, keys: Keys, stump: Stump, most: int) -> Stump:
    """Return a stump that takes in those right before and behind it, while it stands for at most so many rows."""
    row = db.execute("SELECT what, position, hash, body FROM log WHERE position = ?", (stump.first - 1,)).fetchone()
    found = None if row is None or row[0] != STUMP else Stump.read(row[1], row[2], row[3], keys)
    if found is not None and found.last - found.first + stump.last - stump.first < most:
        stump = Stump(found.first, stump.last, found.parent, stump.hash, found.marks + stump.marks, stump.rows + 1)
    row = db.execute(_AT, (stump.last + 1,)).fetchone()
    found = None if row is None or row[0] != STUMP else Stump.read(row[1], row[2], row[3], keys)
    if found is not None and found.first == stump.last + 1 and found.last - stump.first < most:
        stump = Stump(stump.first, found.last, stump.parent, found.hash, stump.marks + found.marks, stump.rows + 1)
    return stump


def follows(stump: Stump, expected: int, parent: bytes) -> bool:
    """Tell whether a stump goes on where the row before it ended."""
    return stump.first == expected and stump.parent == parent and len(stump.hash) == _HASH and parent != START


def named_since(connection: sqlite3.Connection, position: int) -> set[str]:
    """Return the digests of decisions and situations that rows behind a position name, with those of their parts."""
    found: set[str] = set()
    for _, text in connection.execute(_NAMING, (position,)):
        found.update(decisions_of(json.loads(text)))
    new = found
    while new:
        parts: set[str] = set()
        for digest in new:
            row = connection.execute("SELECT body FROM plans WHERE digest = ?", (digest,)).fetchone()
            parts.update(() if row is None else parts_of(row[0]).values())
        new = parts - found
        found = found | parts
    return found
