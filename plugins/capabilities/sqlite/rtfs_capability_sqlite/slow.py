"""SQLite's functions whose work is the product of their arguments' lengths, in forms that end.

SQLite looks at the clock between steps of its machine, and a call of such a function is one step, which an expression
may hold any number of times. So each is replaced by one of the same name that looks at the clock, refuses what would
take long, and else asks a SQLite of its own, which holds no data: values and errors are those of the original.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from functools import partial
from typing import Any

_QUICK, _COSTLY = 1 << 33, 1 << 26
"""Most work of a call, less than a second: the product of two lengths, of bytes compared or of characters matched."""
_FUNCTIONS = {
    ("instr", 2): _QUICK,
    ("replace", 3): _QUICK,
    ("json_patch", 2): _QUICK,
    ("like", 2): _COSTLY,
    ("like", 3): _COSTLY,
    ("glob", 2): _COSTLY,
    ("trim", 2): _COSTLY,
    ("ltrim", 2): _COSTLY,
    ("rtrim", 2): _COSTLY,
    ("unhex", 2): _COSTLY,
}
"""By name and arguments, the most work."""


class Slow:
    """The functions of a call's connection; remembers what the first error was, which SQLite does not pass on."""

    def __init__(self, helper: sqlite3.Connection, late: Callable[[], bool], most_value: int) -> None:
        self.helper = helper
        self.late = late
        self.most_value = most_value
        self.error: sqlite3.Error | None = None

    def replace_in(self, connection: sqlite3.Connection) -> None:
        """Put them in place of SQLite's own."""
        for (name, count), most in _FUNCTIONS.items():
            sql = f"SELECT {name}({', '.join('?' * count)})"
            connection.create_function(name, count, partial(self._call, sql, most), deterministic=True)

    def _call(self, sql: str, most: int, *args: Any) -> Any:
        try:
            if self.late():
                raise sqlite3.OperationalError("interrupted")  # as SQLite says it
            sizes = [len(each) if each.__class__ in (str, bytes) else 20 for each in args]
            made = sizes[0] // (sizes[1] or 1) * sizes[-1] if "replace" in sql else 0
            if sizes[0] * sizes[1] > most or made > self.most_value * 8:
                raise sqlite3.DataError("string or blob too big")
            return self.helper.execute(sql, args).fetchone()[0]
        except sqlite3.Error as error:
            self.error = self.error or error
            raise
