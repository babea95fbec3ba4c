"""Stumps: what stays of rows that were cut, so that the chain still holds and nobody without the key can cut any.

A run of rows without a hole gives way to one row, "stump", at the last one's place and with its hash. It says where
they began, how many they were, the hash of the row before, and the beginning of each one's hash, all of it under the
journal's key. So rows that follow still fit, and a head that was taken while one of them was the last is still proved.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator
from hmac import compare_digest
from typing import TYPE_CHECKING, Any, NamedTuple

from rtfs_framework.orchestrator.recording.journal.chain import START, Head, Keys, Row, canonical_json
from rtfs_framework.orchestrator.recording.journal.decisions import decisions_of, parts_of
from rtfs_framework.orchestrator.recording.journal.schema import INSERT_ROW, LAST, ROWS, refusing

if TYPE_CHECKING:
    import sqlite3

STUMP = "stump"
_MARK = 8
"""Bytes of each row's hash that stay."""
_HASH = 32
_MOST = 4_096
"""Rows that one stump stands for, where it takes in those beside it."""
_AT = "SELECT what, position, hash, body FROM log WHERE position >= ? ORDER BY position LIMIT 1"
_BEFORE = "SELECT what, position, hash, body FROM log WHERE position < ? ORDER BY position DESC LIMIT 1"
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
            made = cls(int(told["first"]), position, bytes.fromhex(told["parent"]), hash_, marks)
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
    """Of proved rows: none of them is a stump itself, and no row is in two."""
    plans: tuple[str, ...]
    body: dict[str, Any]
    scanned: int = 0
    """Up to where somebody has looked for rows that name a decision."""

    def carry_out(self, db: sqlite3.Connection, keys: Keys, still_named: Iterable[str]) -> bool:
        """Do it, inside a transaction: the triggers that refuse it are away for that long only.

        Returns whether all was as it was found, and the chain holds; if not, the transaction must be undone.
        """
        for table in _GUARDED:
            db.execute(f"DROP TRIGGER IF EXISTS {table}_no_delete")
        if not all(_removed(db, stump) for stump in self.stumps):
            return False
        # Stumps of before are read here only: somebody else, or this very cutting, may have joined them since.
        old = set(_beside(db, keys, self.stumps))
        db.executemany("DELETE FROM log WHERE position = ?", [(stump.last,) for stump in old])
        made = list(_joined({*self.stumps, *old}))
        rows = [(each.last, None, STUMP, None, None, "", each.body(keys), each.hash) for each in made]
        db.executemany(INSERT_ROW, rows)
        if not all(_stands(db, keys, stump) for stump in made):
            return False
        named = frozenset(still_named)
        gone = [(digest,) for digest in self.plans if digest not in named]
        db.executemany("DELETE FROM plans WHERE digest = ?", gone)
        for table in _GUARDED:
            db.execute(refusing(table, "DELETE"))
        return True


def _removed(db: sqlite3.Connection, stump: Stump) -> bool:
    """Remove the rows of a stump, with their texts; tell whether they were those that it was made of, and all there."""
    between = (stump.first, stump.last)
    found = db.execute("SELECT hash FROM log WHERE position BETWEEN ? AND ? AND what <> 'stump'", between)
    marks = b"".join(mark_of(row[0]) for row in found)
    db.execute("DELETE FROM texts WHERE position BETWEEN ? AND ?", between)
    count = db.execute("DELETE FROM log WHERE position BETWEEN ? AND ?", between).rowcount
    return count == stump.last - stump.first + 1 and marks == stump.marks


def _beside(db: sqlite3.Connection, keys: Keys, stumps: Iterable[Stump]) -> Iterator[Stump]:
    """Yield the stumps of before that lie right before or behind the places of others, some of them twice."""
    for stump in stumps:
        for position in (stump.first - 1, stump.last + 1):
            what, *row = db.execute(_AT, (position,)).fetchone() or (None,)
            found = Stump.read(row[0], row[1], row[2], keys) if what == STUMP else None
            if found is not None and position in (found.first, found.last):
                yield found


def _joined(stumps: Iterable[Stump]) -> Iterator[Stump]:
    """Yield stumps in their order, one for those of which each goes on where the other ended, up to so many rows."""
    left: Stump | None = None
    for stump in sorted(stumps):
        if left is not None and follows(stump, left.last + 1, left.hash) and stump.last - left.first < _MOST:
            left = Stump(left.first, stump.last, left.parent, stump.hash, left.marks + stump.marks)
        else:
            if left is not None:
                yield left
            left = stump
    if left is not None:
        yield left


def _stands(db: sqlite3.Connection, keys: Keys, stump: Stump) -> bool:
    """Tell whether the chain holds around a stump: it follows the row before it, and the next one follows it."""
    before = db.execute(_BEFORE, (stump.last,)).fetchone()
    behind = db.execute(f"{ROWS} LIMIT 1", (stump.last + 1, LAST)).fetchone()
    if before is None or behind is None or tuple(before[1:3]) != (stump.first - 1, stump.parent):
        return False
    if before[0] == STUMP and Stump.read(before[1], before[2], before[3], keys) is None:
        return False
    *values, hash_ = behind
    row = Row(*values)
    if row.what == STUMP:
        found = Stump.read(row.position, hash_, row.body, keys)
        return found is not None and follows(found, stump.last + 1, stump.hash)
    return keys.row(row, stump.hash) == hash_ and (row.position == stump.last + 1 or row.what == "gap")


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
