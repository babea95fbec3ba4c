"""What a statement may do: asked by SQLite itself, for each table, column and function, before a statement runs.

The text of a statement is not judged, but for its first word: SQLite says what it would do (sqlite3_set_authorizer),
and whatever is not allowed here is denied. VACUUM and REINDEX are not asked about: their first word is none of those
that are taken, and a transaction is open besides, within which SQLite refuses VACUUM.
"""

from __future__ import annotations

import re
import sqlite3
import string
from collections.abc import Iterable

READ = frozenset({"select", "with", "values"})
CHANGE = frozenset({"insert", "replace", "update", "delete", "with"})

_FIRST = re.compile(r"(?:\s|--[^\n]*\n|/\*(?:[^*]|\*(?!/))*\*/)*([A-Za-z]+)")
_FUNCTIONS = frozenset({"load_extension", "readfile", "writefile", "edit", "fts3_tokenizer", "lsmode", "zipfile",
                        "sqlar_uncompress", "eval"})  # fmt: skip
"""Functions that reach files, code or memory: a SQLite that is built otherwise than Python's has some."""
_LARGE = frozenset({"zeroblob", "randomblob", "printf", "format", "group_concat", "string_agg", "json_group_array",
                    "json_group_object", "jsonb_group_array", "jsonb_group_object"})  # fmt: skip
"""Functions that make large values out of small ones: denied where SQLite's limits cannot be set (Python 3.10)."""
_CHANGES = frozenset({sqlite3.SQLITE_INSERT, sqlite3.SQLITE_UPDATE, sqlite3.SQLITE_DELETE})
_ALWAYS = frozenset({sqlite3.SQLITE_SELECT, sqlite3.SQLITE_RECURSIVE})
_OF_ITSELF = ("sqlite_", "pragma_", "dbstat", "sqlite_dbpage")
_ROWS_OF_JSON = frozenset({"json_each", "json_tree"})
_FOLD = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


def first_word(sql: str) -> str:
    """Return the word with which a statement begins, in lower case; "" where it begins with anything else."""
    found = _FIRST.match(sql)
    return "" if found is None else found[1].lower()


def folded(name: str) -> str:
    """Return a name as SQLite compares it: the case of ASCII's letters does not count, that of others does."""
    return name.translate(_FOLD)


class Authorizer:
    """SQLite's question whether a statement may do something; remembers what was denied."""

    def __init__(self, tables: Iterable[str], *, changes: bool, limits: bool) -> None:
        self.tables = frozenset(map(folded, tables))
        self.changes = changes
        self.functions = _FUNCTIONS if limits else _FUNCTIONS | _LARGE
        self.rows_of_json = _ROWS_OF_JSON
        """Functions that look like tables; less those whose names the database gives to its own."""
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
            return f"the function {other}" if folded(other) in self.functions else ""
        if action == sqlite3.SQLITE_READ or (action in _CHANGES and self.changes):
            return self._of_table(one, changed=action in _CHANGES, database=database)
        return "what this statement does"

    def _of_table(self, table: str, *, changed: bool, database: str | None) -> str:
        name = folded(table)
        if database not in (None, "main"):
            return f"a table of the database '{database}'"
        if name in self.rows_of_json and not changed:
            return ""
        if name.startswith(_OF_ITSELF) and (changed or self.tables or not name.startswith("sqlite_")):
            return f"the table {table}"
        return f"the table {table}" if self.tables and name not in self.tables else ""
