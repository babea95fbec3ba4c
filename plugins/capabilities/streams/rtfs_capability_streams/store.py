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

import attrs

from rtfs_capability_streams import lent, queues, schema, tables
from rtfs_capability_streams.giving import Giver, lost, overtaken
from rtfs_capability_streams.lines import Open
from rtfs_capability_streams.pipes import Pipes
from rtfs_capability_streams.queues import Queues
from rtfs_capability_streams.replies import Replies
from rtfs_capability_streams.rows import Batch, Progress, QueueFull, Stream
from rtfs_capability_streams.slots import BusyError, Slots
from rtfs_capability_streams.sources import kept, wrong
from rtfs_framework.api import CapabilityError, HeldFile, in_transaction, read_value

Result = TypeVar("Result")


class Store:
    """Streams and queues of all tenants in one file, which the first use makes."""

    def __init__(self, path: Path, capacity: int, pipes: Pipes) -> None:
        self._file = HeldFile(path, schema.TABLES, lambda problem: CapabilityError(problem, "StorageError"))
        self._queues, self._pipes = Queues(capacity), pipes
        self.replies = Replies()
        self._giver = Giver(pipes, self.replies)
        self._slots = Slots(path.with_name(f"{path.name}-given"))
        self._changes = 0

    @property
    def exists(self) -> bool:
        """Tell whether anything was kept yet."""
        return self._file.exists

    def close(self) -> None:
        """Let go of the file, and of pipes; what was read of them is kept, unless it is a piece of a line."""
        self.replies.close()
        if self._pipes.used and self._pipes.whole:
            self._change(lambda db: db.execute(schema.LEAVE, (self._pipes.token,)))
        self._pipes.close()
        self._slots.close()
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
            tables.save(db, found)
            for old in db.execute(schema.OLD, (new.tenant, schema.UNNAMED_KEPT)).fetchall():
                tables.remove(db, tables.found(db, *old))
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
        return lent.seen(self._slots, self._file.do(lambda db: tables.found(db, tenant, id_)))

    def all(self) -> list[Stream]:
        """Return all streams of all tenants."""
        found = self._file.do(lambda db: [Stream.of(row) for row in db.execute(schema.ALL)])
        return [lent.seen(self._slots, each) for each in found]

    def left(self, tenant: str, queue: str) -> int:
        """Return how many items a queue holds."""
        return int(self._file.do(lambda db: db.execute(schema.LEFT, (tenant, queue)).fetchone()[0]))

    def pull(
        self,
        tenant: str,
        id_: str,
        key: str,
        most: int,
        open_: Open,
        marks: frozenset[str],
        *,
        ahead: bool = False,
        after: int | None = None,
    ) -> Batch:
        """Give the next items; those that were pulled before count as done with.

        What a run was given is given again, and that run moves the stream no more. `ahead`: no more than a batch, of
        which a slot (`may_have`) or the reader (`settle`) says how many it used; `after` is where what it has of such
        batches ends.

        Raises:
            CapabilityError: Somebody else has gone on from what this reader was given ahead.
        """

        def work(db: sqlite3.Connection) -> Batch:
            stream = tables.found(db, tenant, id_)
            read = None if stream.named else after
            own = lent.key_of(db, self._slots, stream, key) if ahead else None
            batch_name = own.removeprefix(lent.SLOT) if own is not None and own.startswith(lent.SLOT) else ""
            same = db.execute(schema.PULLED, (tenant, id_, key)).fetchone()
            if same is not None:
                return Batch(stream, same[0], tuple(read_value(same[1])), bool(same[2]), batch=batch_name)
            wanted = most if not ahead else 1 if own is None else min(most, stream.batch)
            own, before = own or key, lent.batch_of(stream)
            again = bool(stream.given and key and stream.key == own and not stream.running)
            if not again:
                lent.reached(db, self._slots, stream, read)
            count = len(stream.given)
            if stream.running:
                stream.epoch += 1
                queues.give_back(db, stream)
            elif again:  # nobody knows the reply, and it is remembered no more
                queues.give_back(db, stream)
                wanted = count
            else:
                self._giver.commit(db, stream, count)
            batch = self._giver.give(db, stream, own, wanted, open_, marks, running=False)
            if key and batch.items:
                tables.remember(db, batch, key)
            if lent.batch_of(stream):  # of one item nobody has to say whether it is used
                self._slots.lend(batch_name, before)
            return attrs.evolve(batch, batch=batch_name)

        return self._change(work)

    def begin(self, tenant: str, id_: str, key: str, open_: Open, marks: frozenset[str]) -> Batch:
        """Begin an epoch: give the items after the last that was done with."""

        def work(db: sqlite3.Connection) -> Batch:
            stream = tables.found(db, tenant, id_)
            stream.epoch += not key or stream.key != key
            lent.overtake(db, self._slots, stream)
            queues.give_back(db, stream)
            return self._giver.give(db, stream, key, stream.batch, open_, marks, running=True)

        return self._change(work)

    def go_on(self, tenant: str, id_: str, key: str, said: Progress, open_: Open, marks: frozenset[str]) -> Batch:
        """Take what was made of the items that were given, and give more, in one step.

        Raises:
            QueueFull: The outputs have no place; nothing was changed.
            CapabilityError: What comes next cannot be had; what was done with is kept all the same.
        """

        def work(db: sqlite3.Connection) -> Batch | CapabilityError:
            stream = tables.found(db, tenant, id_)
            if not key or stream.key != key:
                self._take(db, stream, said, marks)
            queues.give_back(db, stream)
            stream.key = key
            tables.save(db, stream)
            try:
                return self._giver.give(db, stream, key, stream.batch, open_, marks, running=True)
            except CapabilityError as error:
                return error

        made = self._change(work)
        if isinstance(made, CapabilityError):
            raise made
        return made

    def end(self, tenant: str, id_: str, key: str, said: Progress, open_: Open, marks: frozenset[str]) -> Stream:
        """Take what was made of the items that were given, and what becomes of the stream.

        Raises:
            QueueFull: The outputs have no place; nothing was changed.
        """

        def work(db: sqlite3.Connection) -> Stream:
            stream = tables.found(db, tenant, id_)
            if key and stream.key == key:
                return stream
            self._take(db, stream, said, marks)
            queues.give_back(db, stream)
            stream.running = False
            if stream.status == "open":
                action = said.action
                over = action == "continue" and self._giver.ended(db, stream, open_)
                stream.status = {"pause": "paused", "cancel": "cancelled", "complete": "completed"}.get(
                    action, "completed" if over else "open"
                )
            stream.key = key
            tables.save(db, stream)
            return stream

        ended = self._change(work)
        if ended.status in ("cancelled", "completed"):
            self.replies.stop((tenant, id_))
        return ended

    def reads(self, tenant: str, id_: str) -> Stream:
        """Return a stream that is to be read; noted is, before anything is taken that cannot be had again, by whom.

        Raises:
            CapabilityError: There is none; or another process reads it. What that had taken when it ended is gone.
        """
        found = self.get(tenant, id_)
        if found.replayable or found.status != "open" or found.reader == self._pipes.token:
            return found

        def work(db: sqlite3.Connection) -> Stream:
            stream = tables.found(db, tenant, id_)
            if stream.asks and queues.closed(db, tenant, str(stream.queue)):
                return stream  # all that came of the reply is there
            if stream.reader not in ("", self._pipes.token):
                raise lost(stream)
            stream.reader = self._pipes.token
            tables.save(db, stream)
            return stream

        return self._change(work)

    def must_ask(self, stream: Stream) -> bool:
        """Tell whether the model of a stream is to be asked now: it never was, and this process is to hear it."""
        mine = stream.asks and stream.status == "open" and stream.reader == self._pipes.token
        return mine and not self.replies.hears((stream.tenant, stream.id))

    def version(self) -> int:
        """Return a number that grows with each change of the file, whoever makes it."""
        return self._changes + int(self._file.do(lambda db: db.execute("pragma data_version").fetchone()[0]))

    def settle(self, tenant: str, id_: str, seq: int, used: int) -> str:
        """Note how many of the items that were given ahead after a position were used; the others are given again.

        Returns "", or why whoever was given them may not go on.
        """

        def work(db: sqlite3.Connection) -> str:
            row = db.execute(schema.GET, (tenant, id_)).fetchone()
            return "" if row is None else lent.settle(db, Stream.of(row), seq, used)

        return self._change(work)

    def take(self, batch: str, count: int) -> bool | None:
        """Give so many items of a batch in all to its reader, without waiting; None where only `may_have` can tell."""
        try:
            known = self._slots.take(batch, count, wait=False)
        except BusyError:
            return None
        return None if known is None else count <= known.given

    def may_have(self, tenant: str, id_: str, batch: str, count: int) -> tuple[int, bool]:
        """Do the same; return how many items of it are its reader's, and whether this is so for good."""
        return self._change(lambda db: lent.may_have(db, self._slots, (tenant, id_), batch, count))

    def unpull(self, tenant: str, id_: str, key: str) -> None:
        """Take back what a pull was given that nobody waits for any more."""

        def work(db: sqlite3.Connection) -> None:
            row = db.execute(schema.GET, (tenant, id_)).fetchone()
            stream = None if row is None else Stream.of(row)
            if stream is not None and key and lent.is_pulled(stream, key) and not stream.running:
                queues.give_back(db, stream)
                stream.key = ""
                tables.save(db, stream)
                db.execute(schema.UNPULL, (tenant, id_, key))

        self._change(work)

    def marks(self, tenant: str, name: str) -> frozenset[str]:
        """Return the marks of the stream and of the queue of a name, as far as they are there."""

        def work(db: sqlite3.Connection) -> frozenset[str]:
            row = db.execute(schema.GET, (tenant, name)).fetchone()
            marks = frozenset() if row is None else Stream.of(row).marks
            queue = db.execute(schema.QUEUE, (tenant, name)).fetchone()
            return marks | (frozenset() if queue is None else frozenset(json.loads(queue[1])))

        return self._file.do(work) if self._file.exists else frozenset()

    def turn(self, tenant: str, id_: str, wanted: str, before: tuple[str, ...]) -> Stream:
        """Give a stream another status, if it has one of these.

        Raises:
            CapabilityError: It has another.
        """

        def work(db: sqlite3.Connection) -> Stream:
            stream = tables.found(db, tenant, id_)
            if wanted == "open" and stream.reader:
                self._read_on(db, stream)
            if stream.status == wanted:
                return stream
            if stream.status not in before:
                raise wrong(f"the stream {id_!r} is {stream.status}, and cannot be {wanted} any more")
            lent.end(db, self._slots, stream)
            stream.status = wanted
            if wanted == "cancelled" and stream.queue is not None:
                queues.give_back(db, stream)  # others may be given it at once: who had it may not count it too
                stream.epoch += 1
            tables.save(db, stream)
            return stream

        turned = self._change(work)
        if turned.status == "cancelled":
            self.replies.stop((tenant, id_))
        return turned

    def _read_on(self, db: sqlite3.Connection, stream: Stream) -> None:
        """Go on with what somebody else was reading: with a pipe as it is now, with what there is of a reply."""
        of = (stream.tenant, stream.id)
        if not stream.asks:
            stream.reader = ""
            tables.save(db, stream)
        elif self.replies.over(of):
            self._giver.take_rest(db, stream)

    def forget(self, tenant: str, id_: str) -> None:
        """Remove a stream; what it was given of a queue and has not done with goes back there."""

        def work(db: sqlite3.Connection) -> None:
            stream = tables.found(db, tenant, id_)
            lent.end(db, self._slots, stream)
            tables.remove(db, stream)

        self._change(work)
        self.replies.stop((tenant, id_))

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
            db.execute(schema.CLOSE_QUEUE, (tenant, queue))

        self._change(work)

    def _change(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        def attempt(db: sqlite3.Connection) -> Result | QueueFull | CapabilityError:
            kept, before = False, db.total_changes
            try:
                made = in_transaction(db, work)
                kept = True
            except (QueueFull, CapabilityError) as refused:  # nothing is wrong with the file
                return refused
            finally:
                self._pipes.settle(kept=kept)
                self.replies.settle(kept=kept)
                self._changes += kept and db.total_changes != before
            return made

        made = self._file.do(attempt)
        if isinstance(made, QueueFull | CapabilityError):
            raise made
        return made

    def _take(self, db: sqlite3.Connection, stream: Stream, said: Progress, marks: frozenset[str]) -> None:
        done = said.seq - stream.seq
        if stream.status == "cancelled" and said.epoch < stream.epoch:
            raise CapabilityError(f"the stream {stream.id!r} was cancelled, and its items went back to their queue")
        if said.epoch != stream.epoch or not 0 <= done <= len(stream.given):
            raise overtaken(stream)
        self._giver.commit(db, stream, done)
        stream.state, stream.marks = kept(said.state), stream.marks | marks
        if said.outputs:
            if not stream.sink:
                raise wrong(f"the stream {stream.id!r} takes no :output: start it with {{:sink queue}}")
            self._queues.put(db, stream.tenant, stream.sink, "", said.outputs, stream.marks)
