"""What a statement may do: asked by SQLite itself, for each table, column and function, before a statement runs.

The text of a statement is not judged, but for its first word: SQLite says what it would do (sqlite3_set_authorizer),
and whatever is not allowed here is denied. VACUUM and REINDEX are not asked about: their first word is none of those
that are taken, and a transaction is open besides, within which SQLite refuses VACUUM.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable

READ = frozenset({"select", "with", "values"})
CHANGE = frozenset({"insert", "replace", "update", "delete", "with"})

_FIRST = re.compile(r"(?:\s|--[^\n]*\n|/\*(?:[^*]|\*(?!/))*\*/)*([A-Za-z]+)")
_FUNCTIONS = frozenset({"load_extension", "readfile", "writefile", "edit", "fts3_tokenizer", "lsmode", "zipfile",
                        "sqlar_uncompress", "eval"})  # fmt: skip
"""Functions that reach files, code or memory: a SQLite that is built otherwise than Python's has some."""
_LARGE = frozenset({"zeroblob", "randomblob", "printf", "format"})
"""Functions that make large values out of small ones: denied where SQLite's limits cannot be set (Python 3.10)."""
_CHANGES = frozenset({sqlite3.SQLITE_INSERT, sqlite3.SQLITE_UPDATE, sqlite3.SQLITE_DELETE})
_ALWAYS = frozenset({sqlite3.SQLITE_SELECT, sqlite3.SQLITE_RECURSIVE})
_OF_ITSELF = ("sqlite_", "pragma_", "dbstat", "sqlite_dbpage")
_ROWS_OF_JSON = frozenset({"json_each", "json_tree"})


def first_word(sql: str) -> str:
    """Return the word with which a statement begins, in lower case; "" where it begins with anything else."""
    found = _FIRST.match(sql)
    return "" if found is None else found[1].lower()


class Authorizer:
    """SQLite's question whether a statement may do something; remembers what was denied."""

    def __init__(self, tables: Iterable[str], *, changes: bool, limits: bool) -> None:
        self.tables = frozenset(name.lower() for name in tables)
        self.changes = changes
        self.functions = _FUNCTIONS if limits else _FUNCTIONS | _LARGE
        self.denied = ""
        """What the first denial was about, "" for none."""
        self.over = False
        """Whether the program's statement has run: what follows is ours."""

    def __call__(self, action: int, one: str | None, other: str | None, database: str | None, _: str | None) -> int:
        """Return whether it may: SQLITE_OK or SQLITE_DENY.

        The last argument names the view or trigger whose doing it is. It also is the name of a `WITH` that a program
        chose, so nothing rests on it.
        """
        denial = "" if self.over else self._denial(action, one or "", other or "", database)
        if not denial:
            return sqlite3.SQLITE_OK
        self.denied = self.denied or denial
        return sqlite3.SQLITE_DENY

    def _denial(self, action: int, one: str, other: str, database: str | None) -> str:
        if action in _ALWAYS:
            return ""
        if action == sqlite3.SQLITE_FUNCTION:
            return f"the function {other}" if other.lower() in self.functions else ""
        if action == sqlite3.SQLITE_READ or (action in _CHANGES and self.changes):
            return self._of_table(one, changed=action in _CHANGES, database=database)
        return "what this statement does"

    def _of_table(self, table: str, *, changed: bool, database: str | None) -> str:
        name = table.lower()
        if database not in (None, "main"):
            return f"a table of the database '{database}'"
        if name in _ROWS_OF_JSON and not changed:
            return ""
        if name.startswith(_OF_ITSELF) and (changed or self.tables or not name.startswith("sqlite_")):
            return f"the table {table}"
        return f"the table {table}" if self.tables and name not in self.tables else ""
