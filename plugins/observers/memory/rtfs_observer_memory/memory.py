"""The memory's file: entries, and their words in a full-text index (SQLite's FTS5), or a plain table without one.

In: entries and queries. Out: entries, the newest first. The file is private to its user. What is forgotten is
overwritten, and the index written anew without it.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Any

import attrs

from rtfs_framework.api.errors import PluginError
from rtfs_framework.api.sqlite_file import SqliteTables, in_transaction
from rtfs_framework.api.sqlite_held import HeldFile

FILE = "memory.sqlite"
MOST_SHOWN = 1_000
_APPLICATION = 0x52744D65
_COLUMNS = "id, at, run, tenant, kind, name, target, status, marks, facts"
_TABLES = (
    """create table entries (
        id integer primary key autoincrement, at real not null, run text not null, tenant text not null,
        kind text not null, name text not null, target text not null, status text not null, marks text not null,
        facts text not null
    )""",
    "create index entries_at on entries (at)",
    "create index entries_run on entries (run)",
)
_INDEX = "create virtual table words using fts5(name, said)"
_PLAIN = "create table words (name text not null, said text not null)"
_LIKE = str.maketrans({"\\": "\\\\", "%": "\\%", "_": "\\_"})


@attrs.frozen(slots=True, kw_only=True)
class Entry:
    """Something that a run did or learned."""

    id: int = 0
    at: float
    """Seconds since 1970."""
    run: str = ""
    tenant: str = ""
    kind: str
    """"call", "rating" or "run"."""
    name: str = ""
    target: str = ""
    status: str = ""
    marks: frozenset[str] = frozenset()
    facts: Mapping[str, Any] = attrs.field(factory=dict)
    """Whatever else is known; plain data."""

    def to_json(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {**attrs.asdict(self), "marks": sorted(self.marks)}


@attrs.frozen(slots=True, kw_only=True)
class Query:
    """Which entries are meant: all that fit everything that is said."""

    words: tuple[str, ...] = ()
    run: str | None = None
    tenant: str | None = None
    kind: str | None = None
    name: str | None = None
    status: str | None = None
    mark: str | None = None
    since: float | None = None
    """Not before this time."""
    before: float | None = None

    @property
    def narrows(self) -> bool:
        """Tell whether it says anything."""
        return self != Query()


@cache
def indexed() -> bool:
    """Tell whether this SQLite has a full-text index."""
    with closing(sqlite3.connect(":memory:")) as db:
        try:
            db.execute(_INDEX)
        except sqlite3.OperationalError:
            return False
    return True


class Memory:
    """One file; it is made with its first entry."""

    def __init__(self, directory: Path) -> None:
        statements = (*_TABLES, _INDEX if indexed() else _PLAIN)
        self._file = HeldFile(directory / FILE, SqliteTables(_APPLICATION, 1, statements), _refused)

    def add(self, entry: Entry, said: str) -> None:
        """Keep an entry, to be found by its name and by what was said."""

        def work(db: sqlite3.Connection) -> None:
            row = (entry.at, entry.run, entry.tenant, entry.kind, entry.name, entry.target, entry.status)
            facts = json.dumps(entry.facts, default=str)
            made = db.execute(
                "insert into entries (at, run, tenant, kind, name, target, status, marks, facts)"
                " values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (*map(_clean, row), _marks(entry.marks), facts),
            )
            db.execute(
                "insert into words (rowid, name, said) values (?, ?, ?)",
                (made.lastrowid, _clean(entry.name), _clean(said)),
            )

        self._file.do(lambda db: in_transaction(db, work))

    def find(self, query: Query, most: int) -> list[Entry]:
        """Return the newest entries that fit, at most so many."""
        where, values = _where(query)
        text = f"select {_COLUMNS} from entries where {where} order by at desc, id desc limit ?"  # noqa: S608 - constants
        return self._read(lambda db: db.execute(text, (*values, most)).fetchall())

    def get(self, number: int) -> Entry | None:
        """Return one entry."""
        text = f"select {_COLUMNS} from entries where id = ?"  # noqa: S608 - constants
        found = self._read(lambda db: db.execute(text, (number,)).fetchall())
        return found[0] if found else None

    def count(self, query: Query) -> int:
        """Return how many entries fit."""
        where, values = _where(query)
        if not self._file.exists:
            return 0
        text = f"select count(*) from entries where {where}"  # noqa: S608 - constants
        return int(self._file.do(lambda db: db.execute(text, values).fetchone()[0]))

    def forget(self, query: Query) -> int:
        """Forget the entries that fit; return how many those were."""
        if not self._file.exists:
            return 0
        where, values = _where(query)
        return self._file.do(lambda db: _forget(db, where, values))

    def bound(self, retain: float, entries: int, now: float) -> None:
        """Let go of what is older than so many seconds, and of the oldest beyond so many entries."""

        def work(db: sqlite3.Connection) -> None:
            old = "select id from entries where at < ? union select id from entries where id not in"
            old += " (select id from entries order by at desc, id desc limit ?)"
            ids = [each for (each,) in db.execute(old, (now - retain, entries))]
            in_transaction(db, lambda db: _delete(db, ids))

        self._file.do(work)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _read(self, work: Any) -> list[Entry]:
        return [_entry(row) for row in self._file.do(work)] if self._file.exists else []


def _refused(wrong: str) -> Exception:
    return PluginError("rtfs-observer-memory", wrong, way_out="see that the file can be written, or move it away")


def _where(query: Query) -> tuple[str, list[Any]]:
    said: list[tuple[str, Any]] = [
        (f"{name} = ?", getattr(query, name))
        for name in ("run", "tenant", "kind", "name", "status")
        if getattr(query, name) is not None
    ]
    if query.since is not None:
        said.append(("at >= ?", query.since))
    if query.before is not None:
        said.append(("at < ?", query.before))
    if query.mark is not None:
        said.append(("instr(marks, ?) > 0", _marks([query.mark])))
    if query.words and indexed():
        quoted = (_clean(word).replace('"', '""') for word in query.words)
        said.append(("id in (select rowid from words where words match ?)", " ".join(f'"{word}"*' for word in quoted)))
    elif query.words:
        like = "id in (select rowid from words where name || char(10) || said like ? escape '\\')"
        said += [(like, f"%{_clean(word).translate(_LIKE)}%") for word in query.words]
    return " and ".join(text for text, _ in said) or "true", [_clean(value) for _, value in said]


def _forget(db: sqlite3.Connection, where: str, values: list[Any]) -> int:
    db.execute("pragma secure_delete = on")

    def work(db: sqlite3.Connection) -> int:
        ids = [each for (each,) in db.execute(f"select id from entries where {where}", values)]  # noqa: S608 - constants
        _delete(db, ids)
        if indexed():
            db.execute("insert into words (words) values ('optimize')")
        return len(ids)

    count = in_transaction(db, work)
    db.execute("pragma wal_checkpoint(truncate)").fetchall()
    return count


def _delete(db: sqlite3.Connection, ids: Iterable[int]) -> None:
    rows = [(each,) for each in ids]
    db.executemany("delete from words where rowid = ?", rows)
    db.executemany("delete from entries where id = ?", rows)


def _marks(marks: Iterable[str]) -> str:
    return "".join(f"|{mark}|" for mark in sorted(marks))


def _clean(value: Any) -> Any:
    """Return a text as SQLite takes it: half a character pair has no UTF-8."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value


def _entry(row: tuple[Any, ...]) -> Entry:
    names = _COLUMNS.split(", ")
    found = dict(zip(names, row, strict=True))
    found["marks"] = frozenset(each for each in found["marks"].split("|") if each)
    return Entry(**{**found, "facts": json.loads(found["facts"])})
