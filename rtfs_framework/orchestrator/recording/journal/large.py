"""Large kept texts, each in the file once however many rows name it: in a table of their own, by their digest.

A row of `texts` then holds a reference in place of the text: a byte that no other text begins with, the keyed digest
that the row of the log names, too, and the name of the key that the text is encrypted with. So a text is there once as
it is and once under each key: no run needs a key that only others write under, and none lays open what they hide. Who
removes the last reference removes the text, within the same transaction and whatever the reason (a trigger sees to it):
the end of a run, redaction, retention. A text that is encrypted is bound to its digest in place of a row's position.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rtfs_framework.orchestrator.recording.journal.schema import refusing
from rtfs_framework.orchestrator.recording.journal.sealing import opened

if TYPE_CHECKING:
    import sqlite3

    from rtfs_framework.orchestrator.recording.journal.sealing import Seal

LEAST = 4096
"""Characters from which on a text is large: a reference, its index and a row of its own take some hundred bytes."""

_MARK = b"\x02"
_DIGEST = slice(1, 17)
_PLAIN = bytes(8)
"""In place of a key's name. References of before have neither, and are read as they are."""
PLACE = 0
"""In place of a row's position: no row has it."""
_REFERS = "typeof({0}body) = 'blob' AND substr({0}body, 1, 1) = x'02'"
STATEMENTS = (
    "CREATE TABLE IF NOT EXISTS large (name BLOB PRIMARY KEY, body NOT NULL)",
    f"CREATE INDEX IF NOT EXISTS texts_large ON texts (body) WHERE {_REFERS.format('')}",
    f"""CREATE TRIGGER IF NOT EXISTS texts_large_gone AFTER DELETE ON texts WHEN {_REFERS.format("OLD.")} BEGIN
        DELETE FROM large WHERE name = OLD.body
        AND NOT EXISTS (SELECT 1 FROM texts WHERE body = OLD.body AND {_REFERS.format("texts.")});
    END""",  # noqa: S608 - our own names
    refusing("large", "UPDATE"),
)
"""What a file needs to hold any; a text's name there is what refers to it."""

_KNOWN = "SELECT 1 FROM large WHERE name = ?"
_INSERT = "INSERT INTO large (name, body) VALUES (?, ?)"
_BODY = "SELECT body FROM large WHERE name = ?"
_NAMING = f"FROM texts WHERE body = g.name AND {_REFERS.format('texts.')}"
_STRAY = f"SELECT count(*) FROM large g WHERE NOT EXISTS (SELECT 1 {_NAMING})"  # noqa: S608 - our own names
SIZES = f"""
SELECT l.run, sum(length(g.body)) FROM large g JOIN log l ON l.position = (SELECT max(position) {_NAMING})
WHERE l.run IS NOT NULL GROUP BY l.run
"""  # noqa: S608 - our own names
"""By run, the bytes of the large texts that are gone with it: those that no later row names."""


def reference(digest: str, seal: Seal | None) -> bytes:
    """Return what a row of `texts` holds in place of the text with this digest (hexadecimal)."""
    return _MARK + bytes.fromhex(digest) + (_PLAIN if seal is None else seal.name)


def digest_of(body: Any) -> str | None:
    """Return the digest that a reference names; None for what is none."""
    return body[_DIGEST].hex() if isinstance(body, bytes) and body[:1] == _MARK else None


def has_any(db: sqlite3.Connection) -> bool:
    """Tell whether a file can hold any: one of version 3 may have no table for them."""
    return db.execute("SELECT 1 FROM sqlite_master WHERE name = 'large'").fetchone() is not None


def put(db: sqlite3.Connection, journal: str, named: bytes, text: str, seal: Seal | None) -> None:
    """Write the text of a reference, inside a transaction, unless the file has it already."""
    if db.execute(_KNOWN, (named,)).fetchone() is None:
        body = text if seal is None else seal.close(journal, PLACE, named[_DIGEST].hex(), text)
        db.execute(_INSERT, (named, body))


def stored(db: sqlite3.Connection, named: bytes) -> Any:
    """Return what the file holds for a reference: the text itself, or sealed; None where it is not there."""
    row = db.execute(_BODY, (named,)).fetchone() if has_any(db) else None
    return None if row is None else row[0]


def plain(db: sqlite3.Connection, journal: str, named: bytes) -> str | None:
    """Return the text of a reference, None where it is not there, or sealed with a key that is not known.

    Raises:
        ValueError: It was changed.
    """
    return opened(journal, PLACE, named[_DIGEST].hex(), stored(db, named))


def stray(db: sqlite3.Connection) -> int:
    """Return how many there are that no row names: nobody leaves any behind."""
    return int(db.execute(_STRAY).fetchone()[0]) if has_any(db) else 0
