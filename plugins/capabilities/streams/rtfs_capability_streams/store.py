"""The file: each change one transaction, so position, state and outputs of a stream are never apart.

A stream has a committed position (`seq` items are done with, `position` is after them) and what was given since
(`given`: the position after each item). Whoever runs a stream begins an epoch; what an older epoch says is refused, so
two runs never both move one stream. A call with the key of the last one changes nothing twice.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from rtfs_capability_streams import queues, schema
from rtfs_capability_streams.pipes import Pipes
from rtfs_capability_streams.queues import Queues
from rtfs_capability_streams.rows import Batch, Progress, QueueFull, Stream, as_text
from rtfs_capability_streams.sources import Open, is_open, items, kept, several, type_of, wrong
from rtfs_framework.api import CapabilityError, HeldFile, in_transaction, read_value

Result = TypeVar("Result")


class Store:
    """Streams and queues of all tenants in one file, which the first use makes."""

    def __init__(self, path: Path, capacity: int, pipes: Pipes) -> None:
        self._file = HeldFile(path, schema.TABLES, lambda problem: CapabilityError(problem, "StorageError"))
        self._queues, self._pipes = Queues(capacity), pipes

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
                    self._queues.open(db, new.tenant, new.queue, new.type, capacity, new.marks)
                if new.sink:
                    self._queues.open(db, new.tenant, new.sink, new.takes, capacity, new.marks)
                (new.epoch,) = db.execute("select last from epochs").fetchone()
                db.execute(schema.MAKE, new.row())
            _save(db, found)
            for old in db.execute(schema.OLD, (new.tenant, schema.UNNAMED_KEPT)).fetchall():
                _remove(db, _found(db, *old))
            return found

        return self._change(work)

    def open_queue(
        self, tenant: str, name: str, type_: str, capacity: int | None, marks: frozenset[str]
    ) -> tuple[str, frozenset[str]]:
        """Make a queue unless it is there; return the type of its items, and its marks."""
        return self._change(lambda db: self._queues.open(db, tenant, name, type_, capacity, marks))

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
        """Give the next items; those that were pulled before count as done with.

        What a run was given is given again, and that run moves the stream no more.
        """

        def work(db: sqlite3.Connection) -> Batch:
            stream = _found(db, tenant, id_)
            same = db.execute(schema.PULLED, (tenant, id_, key)).fetchone()
            if same is not None:
                return Batch(stream, same[0], tuple(read_value(same[1])), bool(same[2]))
            count, wanted = len(stream.given), most
            if stream.running:
                stream.epoch += 1
                queues.give_back(db, stream)
            elif count and key and stream.key == key:  # nobody knows the reply, and it is remembered no more
                queues.give_back(db, stream)
                wanted = count
            else:
                self._commit(db, stream, count)
            batch = self._give(db, stream, key, wanted, open_, marks, running=False)
            if key and batch.items:
                _remember(db, batch, key)
            return batch

        self._reads(tenant, id_)
        return self._change(work)

    def begin(self, tenant: str, id_: str, key: str, open_: Open, marks: frozenset[str]) -> Batch:
        """Begin an epoch: give the items after the last that was done with."""

        def work(db: sqlite3.Connection) -> Batch:
            stream = _found(db, tenant, id_)
            stream.epoch += not key or stream.key != key
            queues.give_back(db, stream)
            return self._give(db, stream, key, stream.batch, open_, marks, running=True)

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
            queues.give_back(db, stream)
            return self._give(db, stream, key, stream.batch, open_, marks, running=True)

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
            queues.give_back(db, stream)
            stream.running = False
            if stream.status == "open":
                action = said.action
                over = action == "continue" and self._ended(db, stream, open_)
                stream.status = {"pause": "paused", "cancel": "cancelled", "complete": "completed"}.get(
                    action, "completed" if over else "open"
                )
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
                queues.give_back(db, stream)  # others may be given it at once: who had it may not count it too
                stream.epoch += 1
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
        self._change(lambda db: self._queues.put(db, tenant, queue, key, values, marks))

    def close_queue(self, tenant: str, queue: str, marks: frozenset[str]) -> None:
        """Let nothing more be put into a queue: its readers come to an end."""

        def work(db: sqlite3.Connection) -> None:
            self._queues.open(db, tenant, queue, ":any", None, marks)
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

    def _take(self, db: sqlite3.Connection, stream: Stream, said: Progress, marks: frozenset[str]) -> None:
        done = said.seq - stream.seq
        if stream.status == "cancelled" and said.epoch < stream.epoch:
            raise CapabilityError(f"the stream {stream.id!r} was cancelled, and its items went back to their queue")
        if said.epoch != stream.epoch or not 0 <= done <= len(stream.given):
            raise _overtaken(stream)
        self._commit(db, stream, done)
        stream.state, stream.marks = kept(said.state), stream.marks | marks
        if said.outputs:
            if not stream.sink:
                raise wrong(f"the stream {stream.id!r} takes no :output: start it with {{:sink queue}}")
            self._queues.put(db, stream.tenant, stream.sink, "", said.outputs, stream.marks)

    @staticmethod
    def _commit(db: sqlite3.Connection, stream: Stream, done: int) -> None:
        if not done:
            return
        if stream.queue is not None:
            taken = db.executemany(schema.TAKEN, [(n, stream.id) for n in stream.given[:done]])
            if taken.rowcount != done:
                raise _overtaken(stream)
        stream.seq, stream.position = stream.seq + done, stream.given[done - 1]
        stream.given = stream.given[done:]

    def _give(
        self,
        db: sqlite3.Connection,
        stream: Stream,
        key: str,
        most: int,
        open_: Open,
        marks: frozenset[str],
        *,
        running: bool,
    ) -> Batch:
        stream.marks, stream.running = stream.marks | marks, running
        found: list[tuple[Any, Any]] = []
        cut = False
        if stream.status == "open":
            wanted = type_of(stream.type)
            if not stream.replayable:
                self._intake(db, stream)
            if stream.queue is not None:
                found, cut = queues.claimed(db, stream, stream.queue, most, wanted)
            else:
                found, cut, reached = several(items(stream.source, stream.position, wanted, open_), most)
                if not found and reached is not None:
                    stream.position = reached
        stream.given, stream.key = [after for _, after in found], key
        done = stream.status != "open" or not (cut or len(found) == most or self._more(db, stream))
        _save(db, stream)
        return Batch(stream, stream.seq, tuple(item for item, _ in found), done, cut)

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

    def _ended(self, db: sqlite3.Connection, stream: Stream, open_: Open) -> bool:
        """Tell whether nothing comes after what was done with."""
        if stream.queue is not None:
            left = db.execute(schema.FREE, (stream.tenant, stream.queue, 1)).fetchall()
            return not left and not self._more(db, stream)
        if is_open(stream.source):
            return False
        found, cut, _ = several(items(stream.source, stream.position, type_of(stream.type), open_), 1)
        return not found and not cut

    @staticmethod
    def _more(db: sqlite3.Connection, stream: Stream) -> bool:
        """Tell whether more may come than is there."""
        if stream.queue is None:
            return is_open(stream.source)
        return not queues.closed(db, stream.tenant, stream.queue)


def _overtaken(stream: Stream) -> CapabilityError:
    return CapabilityError(
        f"another run has gone on with the stream {stream.id!r}; run it again to go on from where it is"
    )


def _remember(db: sqlite3.Connection, batch: Batch, key: str) -> None:
    """Keep the reply to a pull, and no more of those before than there is room for."""
    of, text = (batch.stream.tenant, batch.stream.id), kept(batch.items)
    db.execute(schema.PULL, (*of, key, batch.seq, text, batch.done, len(text)))
    count, size = db.execute(schema.PULLS, of).fetchone()
    while count > schema.PULLS_KEPT or (size > schema.PULLS_SIZE and count > 1):
        n, less = db.execute(schema.OLDEST_PULL, of).fetchone()
        db.execute(schema.FORGET_PULL, (n,))
        count, size = count - 1, size - less


def _found(db: sqlite3.Connection, tenant: str, id_: str) -> Stream:
    row = db.execute(schema.GET, (tenant, id_)).fetchone()
    if row is None:
        raise wrong(f"there is no stream {id_!r}: start it by (stream-source ...) or (mcp-stream ...)")
    return Stream.of(row)


def _remove(db: sqlite3.Connection, stream: Stream) -> None:
    queues.give_back(db, stream)
    db.execute(schema.LAST_EPOCH, (stream.epoch,))
    for words in (schema.FORGET, schema.FORGET_PULLS):
        db.execute(words, (stream.tenant, stream.id))


def _save(db: sqlite3.Connection, stream: Stream) -> None:
    values = dict(zip(schema.FIELDS, stream.row(), strict=True))
    changed = (
        "state",
        "position",
        "seq",
        "status",
        "epoch",
        "given",
        "key",
        "marks",
        "reader",
        "running",
        "tenant",
        "id",
    )
    db.execute(schema.SAVE, tuple(values[name] for name in changed))
