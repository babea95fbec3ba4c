"""The file: each change one transaction, so position, state and outputs of a stream are never apart.

A stream has a committed position (`seq` items are done with, `position` is after them) and what was given since
(`given`: the position after each item). Whoever runs a stream begins an epoch; what an older epoch says is refused, so
two runs never both move one stream. A call with the key of the last one changes nothing twice.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from rtfs_capability_streams import schema
from rtfs_capability_streams.pipes import Pipes
from rtfs_capability_streams.rows import Batch, Progress, QueueFull, Stream, as_text
from rtfs_capability_streams.sources import MOST_AT_ONCE, Open, fitting, is_open, items, kept, several, type_of, wrong
from rtfs_framework.api import CapabilityError, HeldFile, Type, in_transaction, read_value

Result = TypeVar("Result")


class Store:
    """Streams and queues of all tenants in one file, which the first use makes."""

    def __init__(self, path: Path, capacity: int, pipes: Pipes) -> None:
        self._file = HeldFile(path, schema.TABLES, lambda problem: CapabilityError(problem, "StorageError"))
        self._capacity, self._pipes = capacity, pipes

    @property
    def exists(self) -> bool:
        """Tell whether anything was kept yet."""
        return self._file.exists

    def close(self) -> None:
        """Let go of the file, and of pipes; what was read of them is kept, unless it is a piece of a line."""
        if self._pipes.used and self._pipes.whole:
            self._change(lambda db: db.execute(schema.LEAVE, (self._pipes.token,)))
        self._pipes.close()
        self._file.close()

    def start(self, new: Stream, capacity: int | None = None) -> Stream:
        """Make a stream, or return the one of this id, if its source and types are these."""

        def work(db: sqlite3.Connection) -> Stream:
            row = db.execute(schema.GET, (new.tenant, new.id)).fetchone()
            found = new if row is None else Stream.of(row)
            if (found.source, found.type, found.sink, found.takes, found.processor) != (
                *(new.source, new.type, new.sink, new.takes, new.processor),
            ):
                raise wrong(f"the stream {new.id!r} is there and has another source, type or processor")
            if row is None:
                if new.queue is not None:
                    self._queue(db, new.tenant, new.queue, new.type, capacity)
                if new.sink:
                    self._queue(db, new.tenant, new.sink, new.takes, capacity)
                db.execute(schema.MAKE, new.row())
                for old in db.execute(schema.OLD, (schema.UNNAMED_KEPT,)).fetchall():
                    _remove(db, _found(db, *old))
            return found

        return self._change(work)

    def open_queue(self, tenant: str, name: str, type_: str, capacity: int | None) -> str:
        """Make a queue unless it is there; return the type of its items."""
        return self._change(lambda db: self._queue(db, tenant, name, type_, capacity))

    def get(self, tenant: str, id_: str) -> Stream:
        """Return a stream.

        Raises:
            CapabilityError: There is none of this id.
        """
        return self._file.do(lambda db: _found(db, tenant, id_))

    def all(self) -> list[Stream]:
        """Return all streams of all tenants."""
        return self._file.do(lambda db: [Stream.of(row) for row in db.execute(schema.ALL)])

    def left(self, tenant: str, queue: str) -> int:
        """Return how many items a queue holds."""
        return int(self._file.do(lambda db: db.execute(schema.LEFT, (tenant, queue)).fetchone()[0]))

    def pull(self, tenant: str, id_: str, key: str, most: int, open_: Open, marks: frozenset[str]) -> Batch:
        """Give the next items; those before count as done with."""

        def work(db: sqlite3.Connection) -> Batch:
            stream = _found(db, tenant, id_)
            same = db.execute(schema.PULLED, (tenant, id_, key)).fetchone()
            if same is not None:
                return Batch(stream, same[0], tuple(read_value(same[1])), bool(same[2]))
            self._commit(db, stream, len(stream.given))
            batch = self._give(db, stream, key, most, open_, marks)
            if key and batch.items:
                db.execute(schema.PULL, (tenant, id_, key, batch.seq, kept(batch.items), batch.done))
                db.execute(schema.FORGET_PULLS, (schema.PULLS_KEPT,))
            return batch

        self._reads(tenant, id_)
        return self._change(work)

    def begin(self, tenant: str, id_: str, key: str, open_: Open, marks: frozenset[str]) -> Batch:
        """Begin an epoch: give the items after the last that was done with."""

        def work(db: sqlite3.Connection) -> Batch:
            stream = _found(db, tenant, id_)
            stream.epoch += not key or stream.key != key
            self._rewind(db, stream)
            return self._give(db, stream, key, stream.batch, open_, marks)

        self._reads(tenant, id_)
        return self._change(work)

    def go_on(self, tenant: str, id_: str, key: str, said: Progress, open_: Open, marks: frozenset[str]) -> Batch:
        """Take what was made of the items that were given, and give more, in one step.

        Raises:
            QueueFull: The outputs have no place; nothing was changed.
        """

        def work(db: sqlite3.Connection) -> Batch:
            stream = _found(db, tenant, id_)
            if not key or stream.key != key:
                self._take(db, stream, said, marks)
            self._rewind(db, stream)
            return self._give(db, stream, key, stream.batch, open_, marks)

        self._reads(tenant, id_)
        return self._change(work)

    def end(self, tenant: str, id_: str, key: str, said: Progress, open_: Open, marks: frozenset[str]) -> Stream:
        """Take what was made of the items that were given, and what becomes of the stream.

        Raises:
            QueueFull: The outputs have no place; nothing was changed.
        """

        def work(db: sqlite3.Connection) -> Stream:
            stream = _found(db, tenant, id_)
            if key and stream.key == key:
                return stream
            self._take(db, stream, said, marks)
            self._rewind(db, stream)
            if stream.status == "open":
                action = said.action
                over = action == "continue" and self._ended(db, stream, open_)
                stream.status = {"pause": "paused", "cancel": "cancelled", "complete": "completed"}.get(
                    action, "completed" if over else "open"
                )
            if stream.status != "open" and stream.queue is not None:
                db.execute(schema.RELEASE, (tenant, stream.queue, id_))
            stream.key = key
            _save(db, stream)
            return stream

        return self._change(work)

    def _reads(self, tenant: str, id_: str) -> None:
        """Note, before anything is taken out of a pipe, who reads it.

        Raises:
            CapabilityError: Another process has; what it had taken when it ended is gone.
        """
        if self.get(tenant, id_).replayable:
            return

        def work(db: sqlite3.Connection) -> None:
            stream = _found(db, tenant, id_)
            if stream.reader not in ("", self._pipes.token):
                raise CapabilityError(
                    f"the stream {id_!r} cannot be replayed: a process that has not ended well was reading its pipe,"
                    " and what it had taken may be lost; (call :mcp.stream.resume stream) goes on all the same"
                )
            stream.reader = self._pipes.token
            _save(db, stream)

        self._change(work)

    def turn(self, tenant: str, id_: str, wanted: str, before: tuple[str, ...]) -> Stream:
        """Give a stream another status, if it has one of these.

        Raises:
            CapabilityError: It has another.
        """

        def work(db: sqlite3.Connection) -> Stream:
            stream = _found(db, tenant, id_)
            if wanted == "open" and stream.reader:
                stream.reader = ""
                _save(db, stream)
            if stream.status == wanted:
                return stream
            if stream.status not in before:
                raise wrong(f"the stream {id_!r} is {stream.status}, and cannot be {wanted} any more")
            stream.status = wanted
            if wanted == "cancelled" and stream.queue is not None:
                db.execute(schema.RELEASE, (tenant, stream.queue, id_))
            _save(db, stream)
            return stream

        return self._change(work)

    def forget(self, tenant: str, id_: str) -> None:
        """Remove a stream; what it was given of a queue and has not done with goes back there."""

        def work(db: sqlite3.Connection) -> None:
            _remove(db, _found(db, tenant, id_))

        self._change(work)

    def put(self, tenant: str, queue: str, key: str, values: tuple[Any, ...], marks: frozenset[str]) -> None:
        """Append items to a queue, once for each key.

        Raises:
            QueueFull: They have no place; none was appended.
        """
        self._change(lambda db: self._put(db, tenant, queue, key, values, marks))

    def close_queue(self, tenant: str, queue: str) -> None:
        """Let nothing more be put into a queue: its readers come to an end."""

        def work(db: sqlite3.Connection) -> None:
            self._queue(db, tenant, queue, ":any", None)
            db.execute("update queues set closed = 1 where tenant = ? and name = ?", (tenant, queue))

        self._change(work)

    def _change(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        def attempt(db: sqlite3.Connection) -> Result | QueueFull:
            kept = False
            try:
                made = in_transaction(db, work)
                kept = True
            except QueueFull as full:  # nothing is wrong with the file
                return full
            finally:
                self._pipes.settle(kept=kept)
            return made

        made = self._file.do(attempt)
        if isinstance(made, QueueFull):
            raise made
        return made

    def _queue(self, db: sqlite3.Connection, tenant: str, name: str, type_: str, capacity: int | None) -> str:
        found = db.execute("select type from queues where tenant = ? and name = ?", (tenant, name)).fetchone()
        if found is None:
            row = (tenant, name, capacity or self._capacity, type_)
            db.execute("insert into queues (tenant, name, capacity, type) values (?, ?, ?, ?)", row)
            return type_
        if type_ not in (":any", found[0]):
            raise wrong(f"the queue {name!r} holds items of type {found[0]}, not {type_}")
        return str(found[0])

    def _put(
        self, db: sqlite3.Connection, tenant: str, queue: str, key: str, values: tuple[Any, ...], marks: frozenset[str]
    ) -> None:
        self._queue(db, tenant, queue, ":any", None)
        capacity, type_, closed = db.execute(
            "select capacity, type, closed from queues where tenant = ? and name = ?", (tenant, queue)
        ).fetchone()
        if key:
            same = "select 1 from put where tenant = ? and queue = ? and key = ?"
            if db.execute(same, (tenant, queue, key)).fetchone() is not None:
                return
        if closed:
            raise wrong(f"the queue {queue!r} is closed")
        if len(values) > capacity:
            raise wrong(f"{len(values)} items at once do not fit into the queue {queue!r}, which holds {capacity}")
        if db.execute(schema.LEFT, (tenant, queue)).fetchone()[0] + len(values) > capacity:
            raise QueueFull(queue)
        wanted, shown = type_of(type_), as_text(sorted(marks))
        rows = [(tenant, queue, kept(fitting(wanted, value)), shown) for value in values]
        db.executemany("insert into items (tenant, queue, value, marks) values (?, ?, ?, ?)", rows)
        if key:
            db.execute("insert into put (tenant, queue, key) values (?, ?, ?)", (tenant, queue, key))
            db.execute(schema.FORGET_KEYS, (tenant, queue, tenant, queue, schema.KEYS_KEPT))

    def _take(self, db: sqlite3.Connection, stream: Stream, said: Progress, marks: frozenset[str]) -> None:
        done = said.seq - stream.seq
        if said.epoch != stream.epoch or not 0 <= done <= len(stream.given):
            raise CapabilityError(
                f"another run has gone on with the stream {stream.id!r}; run it again to go on from where it is"
            )
        self._commit(db, stream, done)
        stream.state, stream.marks = kept(said.state), stream.marks | marks
        if said.outputs:
            if not stream.sink:
                raise wrong(f"the stream {stream.id!r} takes no :output: start it with {{:sink queue}}")
            self._put(db, stream.tenant, stream.sink, "", said.outputs, stream.marks)

    @staticmethod
    def _commit(db: sqlite3.Connection, stream: Stream, done: int) -> None:
        if not done:
            return
        if stream.queue is not None:
            db.executemany(schema.TAKEN, [(n, stream.id) for n in stream.given[:done]])
        stream.seq, stream.position = stream.seq + done, stream.given[done - 1]
        stream.given = stream.given[done:]

    @staticmethod
    def _rewind(db: sqlite3.Connection, stream: Stream) -> None:
        """Let what was given and not done with be given again."""
        if stream.given and stream.queue is not None:
            db.execute(schema.RELEASE, (stream.tenant, stream.queue, stream.id))
        stream.given = []

    def _give(
        self, db: sqlite3.Connection, stream: Stream, key: str, most: int, open_: Open, marks: frozenset[str]
    ) -> Batch:
        stream.marks |= marks
        found: list[tuple[Any, Any]] = []
        cut = False
        if stream.status == "open":
            wanted = type_of(stream.type)
            if not stream.replayable:
                self._intake(db, stream)
            found, cut = (
                several(items(stream.source, stream.position, wanted, open_), most)
                if stream.queue is None
                else self._claimed(db, stream, stream.queue, most, wanted)
            )
        stream.given, stream.key = [after for _, after in found], key
        done = stream.status != "open" or not (cut or len(found) == most or self._more(db, stream))
        _save(db, stream)
        return Batch(stream, stream.seq, tuple(item for item, _ in found), done)

    def _intake(self, db: sqlite3.Connection, stream: Stream) -> None:
        """Move lines of a pipe into the stream's own queue, as far as there is room."""
        of, (_, path) = (stream.tenant, stream.queue), stream.source
        (capacity,) = db.execute("select capacity from queues where tenant = ? and name = ?", of).fetchone()
        (left,) = db.execute(schema.LEFT, of).fetchone()
        if left >= capacity:
            return
        lines, ended = self._pipes.lines(path, capacity - left)
        rows = [(*of, kept(line), as_text(sorted(stream.marks))) for line in lines]
        db.executemany("insert into items (tenant, queue, value, marks) values (?, ?, ?, ?)", rows)
        if ended:
            db.execute("update queues set closed = 1 where tenant = ? and name = ?", of)

    @staticmethod
    def _claimed(
        db: sqlite3.Connection, stream: Stream, queue: str, most: int, wanted: Type
    ) -> tuple[list[tuple[Any, Any]], bool]:
        rows = db.execute(schema.FREE, (stream.tenant, queue, most)).fetchall()
        size, cut = 0, False
        for place, row in enumerate(rows):
            size += len(row[1])
            if size > MOST_AT_ONCE:
                rows, cut = rows[: place + 1], True
                break
        db.executemany(schema.CLAIM, [(stream.id, n) for n, _, _ in rows])
        for marks in {marks for _, _, marks in rows}:
            stream.marks |= frozenset(json.loads(marks))
        values = read_value(f"[{' '.join(text for _, text, _ in rows)}]")
        return [(fitting(wanted, value), n) for value, (n, _, _) in zip(values, rows, strict=True)], cut

    def _ended(self, db: sqlite3.Connection, stream: Stream, open_: Open) -> bool:
        """Tell whether nothing comes after what was done with."""
        if stream.queue is not None:
            left = db.execute(schema.FREE, (stream.tenant, stream.queue, 1)).fetchall()
            return not left and not self._more(db, stream)
        return (
            not is_open(stream.source)
            and not several(items(stream.source, stream.position, type_of(stream.type), open_), 1)[0]
        )

    @staticmethod
    def _more(db: sqlite3.Connection, stream: Stream) -> bool:
        """Tell whether more may come than is there."""
        if stream.queue is None:
            return is_open(stream.source)
        of = "select closed from queues where tenant = ? and name = ?"
        return not db.execute(of, (stream.tenant, stream.queue)).fetchone()[0]


def _found(db: sqlite3.Connection, tenant: str, id_: str) -> Stream:
    row = db.execute(schema.GET, (tenant, id_)).fetchone()
    if row is None:
        raise wrong(f"there is no stream {id_!r}: start it by (stream-source ...) or (mcp-stream ...)")
    return Stream.of(row)


def _remove(db: sqlite3.Connection, stream: Stream) -> None:
    if stream.queue is not None:
        db.execute(schema.RELEASE, (stream.tenant, stream.queue, stream.id))
    db.execute(schema.FORGET, (stream.tenant, stream.id))


def _save(db: sqlite3.Connection, stream: Stream) -> None:
    values = dict(zip(schema.FIELDS, stream.row(), strict=True))
    changed = ("state", "position", "seq", "status", "epoch", "given", "key", "marks", "reader", "tenant", "id")
    db.execute(schema.SAVE, tuple(values[name] for name in changed))
