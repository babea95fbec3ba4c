"""The file: every statement that touches it. What SQLite's errors mean to a user says `CacheFile`, as which it lives.

Guarantees: transactions are short, so that two processes share the file; what `write` returned from survives the
process, however that ends.

Small rows that were read or written lately are at hand in memory (`_near`), as they are in the file: SQLite tells, for
less than half of what it costs to read a row, whether another connection has changed anything since. So a row that any
process has put, taken out or evicted is never served from memory as it was before.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Generator, Iterable
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from rtfs_cache_l2 import tables
from rtfs_cache_l2.rows import LARGE, Found, Row, Rows, Slot
from rtfs_framework.api import CacheFaults, CacheFile, NotOurFileError, SqliteTables, in_transaction, open_sqlite

FILE = "l2.sqlite"
FAULTS = CacheFaults("rtfs-cache-l2", "l2", "the kept replies")

Put = tuple[Slot, Row, int]
"""Where, what, and when it was used."""
Use = tuple[int, int, str, str]
"""When, how often, and where."""

_MOST_NEAR = 2_048
"""Rows at hand in memory."""
_BESIDE = 64
"""Bytes that are counted for the numbers of a row."""


class Bounds(NamedTuple):
    """How much may be kept, and what makes room."""

    rows: int
    bytes: int
    policy: str
    random: Callable[[], float]


class Written(NamedTuple):
    """What a transaction left, and what it took out."""

    rows: int
    bytes: int
    purged: int
    evicted: int


class Store(CacheFile):
    """The tables of one file (of memory alone, without one). Not thread-safe: the layer's lock guards it."""

    def __init__(self, directory: str | None, sealing: Rows | None = None) -> None:
        """Open or make `l2.sqlite` in a folder, which is made if need be. `sealing` closes and opens its rows.

        Raises:
            PluginError: the file cannot be opened or made, is no SQLite file, or is another program's or version's.
        """
        self.damaged = 0
        """Rows that did not open."""
        self._sealing = sealing or Rows()
        self._near: dict[Slot, Row] = {}
        self._version = -1
        super().__init__(None if directory is None else Path(directory) / FILE, FAULTS, tables.TABLES)

    def get(self, slot: Slot) -> Row | None:
        """Return a row, whether or not its time is over; one that is not what was written is reported and deleted."""
        version = self.do(_version)
        if version != self._version:
            self._near.clear()
            self._version = version
        row = self._near.get(slot)
        if row is not None:
            return row
        found = self.do(lambda db: db.execute(tables.GET, slot).fetchone())
        if found is None:
            return None
        row = self._sealing.opened(slot, Found(*found))
        if row is None:
            self.damaged += 1
            self._sealing.tell(self.path or "memory")
            self.drop(slot)
        elif len(row.value) <= LARGE:
            if len(self._near) >= _MOST_NEAR:
                self._near.clear()
            self._near[slot] = row
        return row

    def write(self, puts: Iterable[Put], uses: Iterable[Use], *, now: float, bounds: Bounds) -> Written:
        """Store rows and note uses, then make room, in one transaction.

        Beyond a bound, rows past their time go, and if that is not enough, those that the policy says, until a share
        of the room (1/64, at most 256 rows) is free: a full cache does not evict on every put.
        """
        puts, uses = list(puts), list(uses)
        made = [self._columns(*put) for put in puts]
        kept = [row for row in made if row[-1] <= bounds.bytes]
        too_large = [row[:2] for row in made if row[-1] > bounds.bytes]

        def work(db: sqlite3.Connection) -> Written:
            db.executemany(tables.USE, uses)
            db.executemany(tables.PUT, kept)
            db.executemany(tables.DROP, too_large)  # what was there before is not what was put last
            rows, size = _totals(db)
            if rows <= bounds.rows and size <= bounds.bytes:
                return Written(rows, size, 0, len(too_large))
            purged = db.execute(tables.PURGE, (now,)).rowcount
            evicted = _make_room(db, bounds, min(row[-2] for row in kept) if kept else tables.NEVER)
            return Written(*_totals(db), purged, evicted + len(too_large))

        done = self.do(lambda db: in_transaction(db, work))
        if done.purged or done.evicted:
            self._near.clear()
        for slot, _, _ in puts:
            self._near.pop(slot, None)
        for _, count, *place in uses:
            row = self._near.get((place[0], place[1]))
            if row is not None:
                self._near[place[0], place[1]] = row._replace(uses=row.uses + count)
        return done

    def lengthen(self, slot: Slot, row: Row, until: float) -> None:
        """Give a row a longer life, unless it was put again meanwhile."""
        self._near.pop(slot, None)
        value = self._sealing.closed(slot, row._replace(expires_at=until))
        self.do(lambda db: db.execute(tables.LENGTHEN, (value, until, *slot, row.stored_at, until)))

    def drop(self, slot: Slot) -> bool:
        """Delete a row; tell whether it was there."""
        self._near.pop(slot, None)
        return self.do(lambda db: db.execute(tables.DROP, slot).rowcount) > 0

    def drop_stale(self, slot: Slot, now: float) -> bool:
        """Delete a row whose time is over, unless another process has renewed it meanwhile; tell whether it went."""
        self._near.pop(slot, None)
        return self.do(lambda db: db.execute(tables.DROP_STALE, (*slot, now)).rowcount) > 0

    def clear(self) -> int:
        """Delete every row; return how many there were."""
        self._near.clear()
        return self.do(lambda db: db.execute("delete from replies").rowcount)

    def totals(self) -> tuple[int, int]:
        """Return the number of rows, and the bytes that they take."""
        return self.do(_totals)

    def slots(self) -> list[Slot]:
        """Return where every row lies, the last used first."""
        found = self.do(lambda db: list(db.execute(tables.SLOTS)))
        return [(str(name, "utf-8", "replace"), str(digest, "utf-8", "replace")) for name, digest in found]

    def last_tick(self) -> int:
        """Return the newest `used` or `made`, 0 without rows."""
        return self.do(lambda db: int(db.execute(tables.LAST).fetchone()[0]))

    def _columns(self, slot: Slot, row: Row, tick: int) -> tuple[Any, ...]:
        value = self._sealing.closed(slot, row)
        size = len(value) + len(row.info) + len(slot[0]) + len(slot[1]) + _BESIDE
        return (*slot, value, row.stored_at, row.expires_at, row.life, row.info, tick, row.uses, tick, size)

    def _opened(self, tables: SqliteTables) -> sqlite3.Connection:
        self._near.clear()  # the versions of another connection say nothing of this one's
        try:
            return super()._opened(tables)
        except NotOurFileError:
            if not _renewed(self.path):
                raise
            self._sealing.tell_outdated(self.path)
            return super()._opened(tables)

    def _settle(self, db: sqlite3.Connection) -> None:
        """Bound the log, read texts as bytes, and count the rows: whoever wrote them may have counted badly."""
        db.text_factory = bytes  # what others wrote may be no text, and is not to break more than its row
        db.execute("pragma journal_size_limit = 16777216")
        in_transaction(db, lambda db: db.execute(tables.COUNTED))


def _version(db: sqlite3.Connection) -> int:
    version: int = db.execute(tables.VERSION_OF_DATA).fetchone()[0]
    return version


def _totals(db: sqlite3.Connection) -> tuple[int, int]:
    rows, size = db.execute(tables.TOTALS).fetchone()
    return int(rows), int(size)


def _renewed(path: Path | None) -> bool:
    """Empty a file of version 1, whose rows no key of this version finds; tell whether it was one."""
    try:
        db = open_sqlite(path, SqliteTables(tables.APPLICATION, 1, ()))
    except NotOurFileError:
        return False

    def work(db: sqlite3.Connection) -> None:
        if db.execute("pragma user_version").fetchone()[0] == 1:  # or another process was faster
            for statement in ("drop table if exists replies", *tables.MAKING):
                db.execute(statement)
            db.execute(f"pragma user_version = {tables.VERSION}")

    with closing(db):
        in_transaction(db, work)
    return True


def _make_room(db: sqlite3.Connection, bounds: Bounds, newest: int) -> int:
    """Delete what the policy says until a share of the room is free; return how many rows went.

    What was made at `newest` or later stays: it is what room is made for.
    """
    rows, size = _totals(db)
    if rows <= bounds.rows and size <= bounds.bytes:
        return 0
    keep_rows = bounds.rows - min(256, bounds.rows // 64) if rows > bounds.rows else bounds.rows
    keep_bytes = bounds.bytes - bounds.bytes // 64 if size > bounds.bytes else bounds.bytes
    gone, victims = [], _victims(db, bounds, newest)
    while rows > keep_rows or size > keep_bytes:
        found = next(victims, None)
        if found is None:
            break
        gone.append(found[:1])
        rows, size = rows - 1, size - found[1]
    victims.close()
    db.executemany(tables.EVICT, gone)
    return len(gone)


def _victims(db: sqlite3.Connection, bounds: Bounds, newest: int) -> Generator[tuple[int, int], None, None]:
    """Yield rows and what each takes, in the order in which they make room."""
    ordered = tables.VICTIMS.get(bounds.policy)
    if ordered is not None:
        with closing(db.execute(ordered, (newest,))) as found:
            yield from found
        return
    left = list(db.execute(tables.ALL_ROWS, (newest,)))
    while left:
        at = min(int(bounds.random() * len(left)), len(left) - 1)
        left[at], left[-1] = left[-1], left[at]
        yield left.pop()
