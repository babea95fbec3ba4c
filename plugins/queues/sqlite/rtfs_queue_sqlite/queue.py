"""The queue: every change one transaction of one file.

The file is in WAL mode, so a process that is killed loses nothing that was acknowledged, and nobody sees half a change.
"""

from __future__ import annotations

import secrets
import sqlite3
import time
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from threading import Condition
from typing import Any, TypeVar

import attrs

from rtfs_framework.api import (
    ENDED,
    HeldFile,
    ItemCount,
    ItemFilter,
    ItemState,
    ItemStatus,
    Lease,
    LeaseLostError,
    Placed,
    QueueError,
    QueueFullError,
    QueueItem,
    QueueSettings,
    checked_bytes,
    in_transaction,
)
from rtfs_queue_sqlite import schema
from rtfs_queue_sqlite.schema import FACTS, TABLES

_SHORT, _LONG = 0.01, 0.25
"""Seconds between two looks of who waits: other processes tell nobody when they put something."""

Result = TypeVar("Result")


class SqliteQueue:
    """Items in a file, which the first use makes."""

    def __init__(self, path: Path, settings: QueueSettings, *, sync: str = "normal") -> None:
        self._file = HeldFile(path, TABLES, QueueError)
        self._settings = settings
        self._sync = f"pragma synchronous = {sync}"
        self._news = Condition()

    def put(self, item: QueueItem) -> Placed:
        """Place an item unless its id or key is there."""

        def work(db: sqlite3.Connection) -> Placed | QueueFullError:
            same = db.execute(schema.SAME, (item.id, item.topic, item.tenant, item.key, item.id)).fetchone()
            if same is not None:
                return Placed(same[0], new=False)
            full = self._full(db, len(item.payload))
            if full is not None:
                return full
            now = self._settings.clock.now()
            state, size = "delayed" if item.not_before > now else "queued", len(item.payload)
            facts = (item.id, item.topic, item.tenant, item.priority, item.key, item.payload, size)
            db.execute(schema.PUT, (*facts, now, item.not_before, state, item.most_tries))
            return Placed(item.id, new=True)

        placed = self._change(work)
        if isinstance(placed, QueueFullError):
            raise placed
        self._tell()
        return placed

    def lease(
        self, topic: str, worker: str, seconds: float, *, most: int = 1, tenants: Collection[str] | None = None
    ) -> list[Lease]:
        """Hand out items."""
        if not self._ready([topic]):  # no lock for looking
            return []

        def work(db: sqlite3.Connection) -> list[Lease]:
            self._catch_up(db)
            found = (self._next(db, topic, worker, seconds, tenants) for _ in range(most))
            return [each for each in found if each is not None]

        return self._change(work)

    def claim(self, id_: str, worker: str, seconds: float) -> Lease | None:
        """Hand out one item."""

        def work(db: sqlite3.Connection) -> Lease | None:
            self._catch_up(db)
            row = db.execute(schema.ONE, (id_,)).fetchone()
            return None if row is None else self._taken(db, row, worker, seconds)

        waits = "select 1 from items where id = ? and state = 'queued'"
        if self._look(lambda db: db.execute(waits, (id_,)).fetchone()) is None:  # no lock for looking
            return None
        return self._change(work)

    def renew(self, lease: Lease, seconds: float) -> Lease:
        """Let a lease end later."""
        until = self._settings.clock.now() + seconds
        self._held(lease, lambda db, _: db.execute("update items set until = ? where id = ?", (until, lease.item.id)))
        return attrs.evolve(lease, until=until)

    def ack(self, lease: Lease, result: bytes = b"") -> None:
        """End an item as done."""
        checked_bytes("result", result)
        done = "update items set state = 'done', result = ?, ended = ?, until = 0, reason = '' where id = ?"
        row = (result, self._settings.clock.now(), lease.item.id)
        self._held(lease, lambda db, _: db.execute(done, row), again=True)

    def nack(self, lease: Lease, reason: str = "", *, delay: float = 0.0, final: bool = False) -> ItemState:
        """Put an item back after a failure."""

        def work(db: sqlite3.Connection, held: Sequence[Any]) -> ItemState:
            _, _, _, tries, most_tries = held
            if final or tries >= most_tries:
                now = self._settings.clock.now()
                db.execute(schema.AGAIN, ("dead", now, tries, reason, now, lease.item.id))
                return "dead"
            self._again(db, lease, reason, delay, tries)
            return "queued"

        return self._held(lease, work)

    def release(self, lease: Lease, reason: str = "", *, delay: float = 0.0) -> None:
        """Put an item back without counting the try."""
        self._held(lease, lambda db, held: self._again(db, lease, reason, delay, held[3] - 1))

    def cancel(self, id_: str) -> ItemState | None:
        """See that an item is not worked on any more."""
        end = "update items set state = 'cancelled', ended = ?, until = 0 where id = ?"

        def work(db: sqlite3.Connection) -> ItemState | None:
            self._catch_up(db)
            state = _state_of(db, id_)
            if state is not None and state not in ENDED:
                db.execute(end, (self._settings.clock.now(), id_))
            return _state_of(db, id_)

        return self._change(work)

    def requeue(self, id_: str) -> ItemState | None:
        """Let an item begin anew."""

        def work(db: sqlite3.Connection) -> ItemState | QueueFullError | None:
            found = db.execute("select state, size from items where id = ?", (id_,)).fetchone()
            full = None if found is None or found[0] not in ("dead", "cancelled") else self._full(db, found[1])
            if full is not None:
                return full
            db.execute(schema.ANEW, {"now": self._settings.clock.now(), "id": id_})
            return _state_of(db, id_)

        state = self._change(work)
        if isinstance(state, QueueFullError):
            raise state
        self._tell()
        return state

    def get(self, id_: str) -> ItemStatus | None:
        """Return all that is known of an item."""
        ask = f"select {FACTS}, payload, result from items where id = ?"  # noqa: S608 - our own words
        row = self._look(lambda db: db.execute(ask, (id_,)).fetchone())
        return None if row is None else _status(row)

    def items(self, which: ItemFilter) -> list[ItemStatus]:
        """Return items, the oldest first."""
        wanted: list[str] = [*which.states, *(("delayed",) if "queued" in which.states else ())]
        tests: list[tuple[str, list[Any]]] = []
        if which.topic is not None:
            tests.append(("topic = ?", [which.topic]))
        if which.tenant is not None:
            tests.append(("tenant = ?", [which.tenant]))
        if wanted:
            tests.append((f"state in ({', '.join('?' * len(wanted))})", list(wanted)))
        if which.prefix:
            tests.append(("substr(id, 1, ?) = ?", [len(which.prefix), which.prefix]))
        if which.since is not None:
            tests.append(("made >= ?", [which.since]))
        if which.before is not None:
            tests.append(("made < ?", [which.before]))
        where = " and ".join(test for test, _ in tests) or "true"
        ask = f"select {FACTS} from items where {where} order by seq limit ?"  # noqa: S608 - our own words
        given = [value for _, values in tests for value in values]
        return [_status(row) for row in self._look(lambda db: db.execute(ask, (*given, which.most)).fetchall())]

    def counts(self, topic: str | None = None) -> list[ItemCount]:
        """Return how many items there are."""
        ask = schema.COUNTS.format("" if topic is None else "where topic = ?")
        rows = self._look(lambda db: db.execute(ask, () if topic is None else (topic,)).fetchall())
        found: dict[tuple[str, str, ItemState], tuple[int, int]] = {}
        for name, tenant, state, items, size in rows:
            key = (name, tenant, _shown(state))
            before = found.get(key, (0, 0))
            found[key] = before[0] + items, before[1] + size
        return [
            ItemCount(topic=name, tenant=tenant, state=state, items=items, bytes=size)
            for (name, tenant, state), (items, size) in found.items()
        ]

    def wait(self, topics: Collection[str], seconds: float) -> bool:
        """Wait until something may be leased."""
        end, pause = time.monotonic() + seconds, _SHORT
        while not self._ready(topics):
            left = end - time.monotonic()
            if left <= 0:
                return False
            with self._news:
                self._news.wait(min(pause, left))
            pause = min(_LONG, pause * 2)
        return True

    def purge(self, before: float, topic: str | None = None) -> int:
        """Forget items that ended before a time."""

        def work(db: sqlite3.Connection) -> int:
            count = db.execute(schema.PURGE, {"before": before, "topic": topic}).rowcount
            db.execute(schema.TIDY)
            return count

        return self._change(work)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    # within a transaction

    def _catch_up(self, db: sqlite3.Connection) -> None:
        """Move what time has moved: delays that are over, and leases."""
        now = self._settings.clock.now()
        if db.execute(schema.LATE, {"now": now}).fetchone()[0]:
            db.execute(schema.DUE, (now,))
            db.execute(schema.SPENT, {"now": now})
            db.execute(schema.OVER, {"now": now})

    def _full(self, db: sqlite3.Connection, size: int) -> QueueFullError | None:
        items, total = db.execute("select items, bytes from totals").fetchone()
        if items >= self._settings.most_items:
            return QueueFullError("items", self._settings.most_items)
        if total + size > self._settings.most_bytes:
            return QueueFullError("bytes", self._settings.most_bytes)
        return None

    def _next(
        self, db: sqlite3.Connection, topic: str, worker: str, seconds: float, tenants: Collection[str] | None
    ) -> Lease | None:
        names = () if tenants is None else tuple(tenants)
        only = "" if tenants is None else f" and turns.tenant in ({', '.join('?' * len(names))})"
        turn = db.execute(schema.NEXT.format(only), (topic, *names)).fetchone()
        if turn is None:
            return None
        tenant, start = turn
        row = db.execute(schema.FIRST, (topic, tenant)).fetchone()
        db.execute(schema.TURN, (start + 1 / self._settings.weights.get(tenant, 1.0), topic, tenant))
        db.execute(schema.NOW, (topic, start))
        return self._taken(db, row, worker, seconds)

    def _taken(self, db: sqlite3.Connection, row: Sequence[Any], worker: str, seconds: float) -> Lease:
        seq, id_, topic, tenant, priority, key, payload, due, most_tries, attempt, tries, generation = row
        token, until = secrets.token_hex(8), self._settings.clock.now() + seconds
        db.execute(schema.TAKE, (worker, token, until, seq))
        item = QueueItem(
            id=id_,
            topic=topic,
            payload=payload,
            tenant=tenant,
            priority=priority,
            not_before=due,
            most_tries=most_tries,
            key=key,
        )
        return Lease(item=item, token=token, attempt=attempt + 1, tries=tries + 1, until=until, generation=generation)

    def _again(self, db: sqlite3.Connection, lease: Lease, reason: str, delay: float, tries: int) -> None:
        now = self._settings.clock.now()
        state = "delayed" if delay > 0 else "queued"
        db.execute(schema.AGAIN, (state, now + max(0.0, delay), tries, reason, 0, lease.item.id))

    # around a transaction

    def _held(
        self, lease: Lease, work: Callable[[sqlite3.Connection, Sequence[Any]], Result], *, again: bool = False
    ) -> Result:
        """Do something with an item whose lease holds; `again`: it may be done by this lease already."""
        nothing: Any = None

        def guarded(db: sqlite3.Connection) -> tuple[Result, bool, bool]:
            self._catch_up(db)
            held = db.execute(schema.HELD, (lease.item.id,)).fetchone()
            state, token = (None, None) if held is None else held[:2]
            if again and state == "done" and token == lease.token:
                return nothing, True, False
            if state != "leased" or token != lease.token:
                return nothing, False, state == "cancelled"
            return work(db, held), True, False

        result, fine, cancelled = self._change(guarded)
        if not fine:
            raise LeaseLostError(lease.item.id, cancelled=cancelled)
        self._tell()
        return result

    def _ready(self, topics: Collection[str]) -> bool:
        names = tuple(topics)
        ask = f"select 1 from turns where ready > 0 and topic in ({', '.join('?' * len(names))}) limit 1"  # noqa: S608
        return self._look(lambda db: db.execute(ask, names).fetchone()) is not None

    def _look(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        """Read what is there now; nothing is written unless time has moved something."""

        def looked(db: sqlite3.Connection) -> Result:
            now = self._settings.clock.now()
            if db.execute(schema.LATE, {"now": now}).fetchone()[0]:
                in_transaction(db, self._catch_up)
            return work(db)

        return self._file.do(looked)

    def _change(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        def changed(db: sqlite3.Connection) -> Result:
            db.execute(self._sync)
            return in_transaction(db, work)

        return self._file.do(changed)

    def _tell(self) -> None:
        with self._news:
            self._news.notify_all()


def _state_of(db: sqlite3.Connection, id_: str) -> ItemState | None:
    row = db.execute("select state from items where id = ?", (id_,)).fetchone()
    return None if row is None else _shown(row[0])


def _shown(state: str) -> ItemState:
    shown: Any = "queued" if state == "delayed" else state
    return shown  # type: ignore[no-any-return]


def _status(row: Sequence[Any]) -> ItemStatus:
    (id_, topic, tenant, priority, state, key, size, made, due, attempt, tries, most_tries, generation, worker,
     until, ended, why, *large) = row  # fmt: skip
    payload, result = large or (None, None)
    return ItemStatus(
        id=id_, topic=topic, tenant=tenant, priority=priority, state=_shown(state), key=key, size=size, made=made,
        not_before=due, attempt=attempt, tries=tries, most_tries=most_tries, generation=generation, worker=worker,
        until=until, ended=ended, reason=why, payload=payload, result=result,
    )  # fmt: skip
