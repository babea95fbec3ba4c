"""The capabilities `sqlite.query` and `sqlite.execute`: a connection per call, of the file that a grant names.

Programs name a database, never a file. A query's connection is opened for reading (mode=ro, query_only); both ask the
`Authorizer` of each table and function. A statement is bounded in time by its call's deadline (a progress handler), its
reply in rows and bytes.

Errors are `CapabilityError`: SecurityViolation where the grants do not allow it (nothing was done), InvalidArgument
where the statement or its parameters are wrong, StorageError where SQLite could not.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Iterable
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from rtfs_capability_sqlite.rules import CHANGE, READ, Authorizer, first_word, folded
from rtfs_capability_sqlite.slow import Slow
from rtfs_capability_sqlite.weight import Weight
from rtfs_framework.api import CapabilityError, CapabilityRequest, FailureKind, Keyword, Map, Value, not_granted

if TYPE_CHECKING:
    from rtfs_capability_sqlite.plugin import SqliteGrant

MOST_SQL = 100_000
"""Characters of a statement."""
MOST_VALUE = 128 * 1024
"""Bytes of a value within SQLite: a step of its machine takes one or two, and is not interrupted."""
MOST_WEIGHT = 1 << 14
"""How many times as large a statement may become (`weight.py`): some 0.5 s, where SQLite does not look at the clock."""
MOST_JOINED = 1 << 6
"""The same of one that puts texts together, where the size of values cannot be bounded."""
_INTERRUPTED = (3, 41)
"""The first version that can be interrupted while it prepares a statement."""
_BUSY = 5.0
"""Seconds to wait for another writer."""
_USUAL_SECONDS = 30.0
_STEPS = 500
"""Steps of SQLite's machine between two looks at the clock: some 10 us, or 0.2 s where each makes a large value."""

_SETTINGS: tuple[tuple[str, str, int | bool], ...] = (
    ("setlimit", "SQLITE_LIMIT_ATTACHED", 0),
    ("setlimit", "SQLITE_LIMIT_LENGTH", MOST_VALUE),
    ("setlimit", "SQLITE_LIMIT_COLUMN", 200),
    ("setlimit", "SQLITE_LIMIT_FUNCTION_ARG", 100),
    ("setlimit", "SQLITE_LIMIT_VDBE_OP", 25_000),
    ("setlimit", "SQLITE_LIMIT_LIKE_PATTERN_LENGTH", 1000),
    ("setconfig", "SQLITE_DBCONFIG_DEFENSIVE", True),
)

T = TypeVar("T")


def query(request: CapabilityRequest) -> tuple[Map, ...]:
    """Return the rows of a statement that reads: maps from the column's name to nil, a number or a text."""
    sql, parameters = _statement(request, READ, "SELECT, WITH or VALUES")

    def act(connection: sqlite3.Connection, own: SqliteGrant, _: Authorizer) -> tuple[Map, ...]:
        cursor = connection.execute(sql, parameters)
        names = [each[0] for each in cursor.description or ()]
        twice = min((name for name in names if names.count(name) > 1), default=None)
        if twice is not None:
            raise _wrong(f"two columns are called '{twice}'; name them by AS")
        return tuple(_rows(cursor, names, own))

    return _at_database(request, act, changes=False)


def execute(request: CapabilityRequest) -> Map:
    """Carry out a statement that changes rows; return how many, and the id of the row that was inserted last.

    All of it is done or nothing. What its triggers change counts towards `most_rows`, but is not in the reply.
    """
    sql, parameters = _statement(request, CHANGE, "INSERT, REPLACE, UPDATE, DELETE or WITH")

    def act(connection: sqlite3.Connection, own: SqliteGrant, rules: Authorizer) -> Map:
        before = connection.total_changes
        cursor = connection.execute(sql, parameters)
        for _ in cursor:  # of RETURNING, which is carried out only as far as it is read
            pass
        if connection.total_changes - before > own.most_rows:
            raise not_granted(f"a change of more than {own.most_rows:,} rows", "narrow it, or raise most_rows")
        rules.over = True
        connection.execute("COMMIT")
        last = cursor.lastrowid if first_word(sql) in ("insert", "replace") else None
        return Map.wrap({Keyword("changed"): max(cursor.rowcount, 0), Keyword("last-id"): last})

    return _at_database(request, act, changes=True)


def _statement(request: CapabilityRequest, words: frozenset[str], accepted: str) -> tuple[str, Any]:
    sql, given = request.args[1:]
    if len(sql) > MOST_SQL or "\0" in sql:
        raise _wrong(f"a statement has at most {MOST_SQL:,} characters, none of them NUL")
    if first_word(sql) not in words:
        raise not_granted("a statement of this kind", f"{request.id} takes one that begins with {accepted}")
    _weigh(sql)
    if isinstance(given, Map):
        named = {key.name if isinstance(key, Keyword) else key: _bound(value) for key, value in given.items()}
        return sql, named
    return sql, tuple(map(_bound, given or ()))


def _weigh(sql: str) -> None:
    """Refuse a statement that would become very large where SQLite looks at no clock meanwhile, or has no limits.

    Raises:
        CapabilityError: It would.
    """
    limits = _has_limits()
    if sqlite3.sqlite_version_info >= _INTERRUPTED and limits:
        return
    weight = Weight(sql)
    if weight.most > MOST_WEIGHT or (not limits and weight.joins and (weight.repeats or weight.most > MOST_JOINED)):
        words = "the statement is too large: its parts name what is in others too often; ask in several statements"
        raise CapabilityError(words, "StorageError", failure=FailureKind.FINAL)


def _has_limits() -> bool:
    """Tell whether SQLite's limits can be set: Python 3.10 cannot."""
    return hasattr(sqlite3.Connection, "setlimit")


def _bound(value: Any) -> Any:
    if value is None or value.__class__ in (bool, int, float, str):
        return value
    raise _wrong("a parameter is nil, a boolean, a number or a text")


def _at_database(
    request: CapabilityRequest, act: Callable[[sqlite3.Connection, SqliteGrant, Authorizer], T], *, changes: bool
) -> T:
    """Do something with the first database of this name whose grant allows it."""
    name, refusal = request.args[0], None
    for grant in request.grants:
        if name != (grant.own.name or Path(grant.own.file).stem):
            continue
        try:
            return _within(request, grant.own, grant.base, act, changes=changes)
        except CapabilityError as error:
            if error.kind != "SecurityViolation":
                raise
            refusal = refusal or error
    raise refusal or not_granted("a database of this name", "name one that is granted: file = ..., name = ...")


def _within(
    request: CapabilityRequest,
    own: SqliteGrant,
    base: str,
    act: Callable[[sqlite3.Connection, SqliteGrant, Authorizer], T],
    *,
    changes: bool,
) -> T:
    seconds = _USUAL_SECONDS if request.deadline is None else request.deadline
    until = time.monotonic() + seconds

    def late() -> bool:
        return time.monotonic() > until

    rules = Authorizer(own.tables, changes=changes, limits=_has_limits())
    opened = _opened(own, base, min(_BUSY, seconds), changes=changes)
    with closing(opened) as connection, closing(sqlite3.connect(":memory:")) as helper:
        slow = Slow(helper, late, MOST_VALUE)
        try:
            _limit(helper)
            _prepare(connection, changes=changes)
            rules.rows_of_json -= _own_tables(connection)
            slow.replace_in(connection)
            connection.set_progress_handler(late, _STEPS)
            connection.set_authorizer(rules)
            return act(connection, own, rules)
        except MemoryError:  # SQLite's word for a program of too many steps, too
            raise CapabilityError("the statement is too large", "StorageError", failure=FailureKind.FINAL) from None
        except (sqlite3.Error, sqlite3.Warning, ValueError, OverflowError, DeprecationWarning) as error:
            raise _told(slow.error or error, rules) from None  # the last: a vector for parameters that have names


def _opened(own: SqliteGrant, base: str, busy: float, *, changes: bool) -> sqlite3.Connection:
    place = Path(os.path.normpath(Path(Path(base).absolute(), Path(own.file).expanduser())))
    if not place.is_file():
        raise CapabilityError("the database is not there", "StorageError", failure=FailureKind.FINAL)
    address = f"{place.as_uri()}?mode={'rw' if changes else 'ro'}"
    try:
        return sqlite3.connect(address, uri=True, timeout=busy, isolation_level=None)
    except sqlite3.Error as error:
        raise CapabilityError(f"the database: {error}", "StorageError", failure=FailureKind.SAFE) from None


def _prepare(connection: sqlite3.Connection, *, changes: bool) -> None:
    """Set the connection up while it asks nobody."""
    # What views and constraints call is asked about like the rest; untrusted, they could not call those of `slow`.
    connection.execute("PRAGMA trusted_schema = ON")
    connection.execute("PRAGMA foreign_keys = ON")
    if not changes:
        connection.execute("PRAGMA query_only = ON")
    for sql in ("SELECT 1 FROM json_each('[]')", "SELECT 1 FROM json_tree('[]')"):
        with suppress(sqlite3.Error):  # their first use asks to change the schema, which is denied later
            connection.execute(sql)
    connection.execute("BEGIN IMMEDIATE" if changes else "BEGIN")
    _limit(connection)  # once the schema is read: the owner's tables may be wider


def _limit(connection: sqlite3.Connection) -> None:
    for method, constant, value in _SETTINGS:  # Python 3.10 has none of them, 3.11 not the last
        if hasattr(connection, method):
            getattr(connection, method)(getattr(sqlite3, constant), value)


def _own_tables(connection: sqlite3.Connection) -> frozenset[str]:
    """Return the names of the database's tables and views, within the transaction of the call."""
    return frozenset(folded(name) for (name,) in connection.execute("SELECT name FROM sqlite_master"))


def _rows(cursor: Iterable[tuple[Any, ...]], names: list[str], own: SqliteGrant) -> Iterable[Map]:
    taken = 0
    for count, row in enumerate(cursor):
        if count >= own.most_rows:
            raise not_granted(f"more than {own.most_rows:,} rows", "add a LIMIT, or raise most_rows")
        taken += sum(len(cell) if cell.__class__ in (str, bytes) else 8 for cell in row)
        if taken > own.most_bytes:
            raise not_granted(f"more than {own.most_bytes:,} bytes", "ask for less, or raise most_bytes")
        yield Map.wrap({name: _cell(name, cell) for name, cell in zip(names, row, strict=True)})


def _cell(name: str, cell: Value | bytes) -> Value:
    if isinstance(cell, bytes):
        raise _wrong(f"column '{name}' holds bytes, which programs cannot; ask for hex(...) of it")
    return cell


def _wrong(words: str) -> CapabilityError:
    return CapabilityError(words, "InvalidArgument", failure=FailureKind.FINAL)


def _told(error: Exception, rules: Authorizer) -> CapabilityError:
    """Return what a program is told of an error of SQLite."""
    words = str(error)
    if rules.denied:
        return not_granted(rules.denied, "the grant of this database allows other statements and tables")
    if "one statement" in words:
        return not_granted("more than one statement", "make one call for each")
    if words == "interrupted":
        return CapabilityError("the statement took too long", "StorageError", failure=FailureKind.FINAL)
    if isinstance(error, sqlite3.OperationalError) and ("locked" in words or "busy" in words):
        return CapabilityError(f"SQLite: {words}", "StorageError", failure=FailureKind.SAFE)
    if isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.ProgrammingError):
        return CapabilityError(f"SQLite: {words}", "StorageError", failure=FailureKind.FINAL)
    return _wrong(f"SQLite: {words}")
