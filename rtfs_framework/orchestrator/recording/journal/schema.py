"""The tables of the journal, as data: the columns of the log are stated here once, and everything else follows.

`log` is one log in the order of time. A row has a position in the file, the run that it belongs to (the position of
the run's first row), what it says (`WHAT`), the id of the call that it speaks of (entry, record, path), a JSON text,
and a keyed hash that covers all of this and the hash of the row before it: see `chain`.

`plans` holds decisions, which repeat from call to call, by their keyed digest. `texts` holds what people wrote (kept
arguments, messages), which rows name by keyed digest only, so that it can be removed and the chain still holds.

Versions 1 and 2 had tables of their own, which stay in the file, frozen: see `old` and `migrate`.
"""

from __future__ import annotations

from collections.abc import Mapping

VERSION = 4
LOG = 3
"""The first version that has the log; 4 is the same with large texts apart, which 3 may have, and more indexes."""

COLUMNS: Mapping[str, str] = {
    "position": "INTEGER PRIMARY KEY",
    "run": "INTEGER",
    "what": "TEXT NOT NULL",
    "entry": "INTEGER",
    "record": "INTEGER",
    "id": "TEXT NOT NULL",
    "body": "TEXT NOT NULL",
    "hash": "BLOB NOT NULL",
}
"""The columns of `log`."""

TYPES: Mapping[str, tuple[type, ...]] = {
    name: (*((int,) if "INTEGER" in kind else (bytes,) if "BLOB" in kind else (str,)),)
    + (() if "NOT NULL" in kind or "PRIMARY" in kind else (type(None),))
    for name, kind in COLUMNS.items()
}
"""Python's types of what each column may hold: SQLite itself would take anything."""

LATER = ("resumed", "waiting", "signalled", "checkpoint", "progress", "control")
WHAT = (
    "journal",
    "run",
    "begun",
    "ended",
    "end",
    "redacted",
    "gap",
    "lost",
    "signal",
    "feedback",
    "forgotten",
    "cut",
    "stump",
    *LATER,
)
"""What a row says: the file's first row; a run starts; a call that costs or changes something begins; a call is over;
a run is over; texts were removed; rows that were here are not; rows could not be written; a signal that decisions may
read has another value from now on; somebody says what an answer was worth; an engine begins to learn anew; runs were
removed; rows that were removed lay here (`stumps`). And of runs that outlive a process (`LATER`): one is gone on with;
it waits; it is told something from outside; it came to a named place; so many of its records are done; somebody asks
it to pause or to end."""

INDEXES = (
    "CREATE INDEX IF NOT EXISTS log_resumed ON log (run, position) WHERE what = 'resumed'",
    "CREATE INDEX IF NOT EXISTS log_told ON log (run, position) WHERE what = 'signalled' OR what = 'control'",
    "CREATE INDEX IF NOT EXISTS log_of_run ON log (run) WHERE run > 0",
)
"""Files of version 3 may lack some. The second is for runs that wait, and look again and again. In the third a run's
rows lie in the order of their positions, as in every index of SQLite's; it is for those alone who say `run > 0`: SQLite
would take it where a smaller one serves, too."""
_TABLES = (
    f"CREATE TABLE log ({', '.join(f'{name} {kind}' for name, kind in COLUMNS.items())})",
    "CREATE INDEX log_runs ON log (position, id) WHERE what = 'run'",
    "CREATE INDEX log_ends ON log (run) WHERE what = 'end'",
    *INDEXES,
    "CREATE TABLE plans (digest TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID",
    """CREATE TABLE texts (
        position INTEGER NOT NULL, name TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (position, name)
    ) WITHOUT ROWID""",
)
_REFUSED = {"log": ("UPDATE", "DELETE"), "plans": ("UPDATE", "DELETE"), "texts": ("UPDATE",)}
"""What triggers refuse: rows stay as they were written; only texts may go."""

HEAD = "SELECT position, hash FROM log ORDER BY position DESC LIMIT 1"
_NAMES = ", ".join(COLUMNS)
INSERT_ROW = f"INSERT INTO log ({_NAMES}) VALUES ({', '.join('?' for _ in COLUMNS)})"  # noqa: S608 - our own names
ROW_AT = f"SELECT {_NAMES} FROM log WHERE position = ?"  # noqa: S608
ROWS = f"SELECT {_NAMES} FROM log WHERE position >= ? AND position <= ? ORDER BY position"  # noqa: S608
INSERT_PLAN = "INSERT OR IGNORE INTO plans (digest, body) VALUES (?, ?)"
INSERT_TEXT = "INSERT INTO texts (position, name, body) VALUES (?, ?, ?)"
RESUMED = "SELECT max(n.position) FROM log n WHERE n.what = 'resumed' AND n.run = r.position"
"""Where a run `r` was gone on with last: an end before that is none any more."""
SPAN = f"""
SELECT min(position), max(coalesce((
    SELECT max(e.position) FROM log e WHERE e.what = 'end' AND e.run = r.position
    AND e.position > coalesce(({RESUMED}), 0)
), ?)) FROM log r WHERE r.what = 'run' AND r.id = ?
"""  # noqa: S608 - our own names
"""Between which positions the rows of a run lie; one without an end may have rows up to the last position."""
LAST = 2**63 - 1
CUT_TEXTS = """
DELETE FROM texts WHERE position BETWEEN :first AND :last AND name IN ('reply', 'program', 'state')
AND position IN (SELECT position FROM log WHERE position BETWEEN :first AND :last AND run = :first)
"""
"""Removes what was kept to go on with a run: its first position, and that of its end."""
REMOVE_TEXT = "DELETE FROM texts WHERE position = ? AND name = ?"


def statements() -> tuple[str, ...]:
    """Return what makes the tables and their triggers."""
    return (*_TABLES, *(refusing(table, verb) for table, verbs in _REFUSED.items() for verb in verbs))


def refusing(table: str, verb: str, why: str = "the journal is append-only") -> str:
    """Return the trigger that refuses a kind of change."""
    return (
        f"CREATE TRIGGER IF NOT EXISTS {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
        f"BEGIN SELECT RAISE(ABORT, '{why}'); END"
    )
