"""The tables of the causal chain, their version, and the triggers that keep them append-only.

A run's root is the hash of its `runs` row; every entry's parent is the entry before it (the first one's is the root);
an `endings` row closes the chain with the count, so that cut-off tails are noticed. Plans repeat from call to call, so
entries name them by digest. Times in entries are whole microseconds: numbers survive the file exactly.

Entries stand in the order in which the program makes its calls when nothing overlaps. `branch` says which branch of a
fan-out made a call ("3.0": branch 0 of fan-out 3), "" for calls of the run itself. A chain of version 1 had no such
column; its entries are hashed as if it were not there, and so are all of branch "".
"""

from __future__ import annotations

from collections.abc import Mapping

VERSION = 2

RUN_FIELDS = ("id", "program", "source", "started", "policy", "version")
ENTRY_FIELDS = (
    "run",
    "seq",
    "call",
    "record",
    "kind",
    "symbol",
    "place",
    "args_digest",
    "args",
    "decision",
    "decided_at",
    "target",
    "reply_digest",
    "micros",
    "input_tokens",
    "output_tokens",
    "cost",
    "cache",
    "model",
    "explanation",
    "error_kind",
    "error",
    "branch",
)
CHAINED = ("parent", "hash")
"""What every row of a chain has besides, save its first."""

ENDING_FIELDS = ("run", "status", "ended", "entries", "message")

TABLES = """
CREATE TABLE runs (
  id TEXT PRIMARY KEY, program TEXT NOT NULL, source TEXT NOT NULL, started REAL NOT NULL, policy TEXT NOT NULL,
  version TEXT NOT NULL, hash TEXT NOT NULL
);
CREATE TABLE decisions (digest TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE entries (
  run TEXT NOT NULL REFERENCES runs(id), seq INTEGER NOT NULL, call INTEGER NOT NULL, record INTEGER,
  kind TEXT NOT NULL, symbol TEXT NOT NULL, place TEXT, args_digest TEXT NOT NULL, args TEXT,
  decision TEXT REFERENCES decisions(digest), decided_at REAL, target TEXT NOT NULL, reply_digest TEXT NOT NULL,
  micros INTEGER NOT NULL, input_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL, cost REAL NOT NULL,
  cache TEXT NOT NULL, model TEXT NOT NULL, explanation TEXT NOT NULL, error_kind TEXT NOT NULL, error TEXT NOT NULL,
  branch TEXT NOT NULL DEFAULT '', parent TEXT NOT NULL, hash TEXT NOT NULL, PRIMARY KEY (run, seq)
) WITHOUT ROWID;
CREATE TABLE drafts (
  run TEXT NOT NULL, record INTEGER NOT NULL, path TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (run, record, path)
) WITHOUT ROWID;
CREATE TABLE endings (
  run TEXT PRIMARY KEY REFERENCES runs(id), status TEXT NOT NULL, ended REAL NOT NULL, entries INTEGER NOT NULL,
  message TEXT NOT NULL, parent TEXT NOT NULL, hash TEXT NOT NULL
);
"""

MIGRATIONS = {
    1: (
        "ALTER TABLE entries ADD COLUMN branch TEXT NOT NULL DEFAULT ''",
        next(statement for statement in TABLES.split(";\n") if "TABLE drafts" in statement),
    )
}
"""What makes a journal of a version one of the next."""


def triggers() -> str:
    """Return the triggers that refuse changes of what was written."""
    return "\n".join(
        f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
        f"BEGIN SELECT RAISE(ABORT, 'the causal chain is append-only'); END;"
        for table in ("runs", "decisions", "entries", "endings")
        for verb in ("UPDATE", "DELETE")
    )


def insert(
    table: str, fields: tuple[str, ...], *, or_ignore: bool = False, literals: Mapping[str, str] | None = None
) -> str:
    """Return the statement that adds a row; with `or_ignore`, one that is there already stays.

    `literals` are SQL texts of columns whose values the statement itself holds.
    """
    verb = "INSERT OR IGNORE" if or_ignore else "INSERT"
    values = (literals.get(field, "?") if literals else "?" for field in fields)
    return f"{verb} INTO {table} ({', '.join(fields)}) VALUES ({', '.join(values)})"
