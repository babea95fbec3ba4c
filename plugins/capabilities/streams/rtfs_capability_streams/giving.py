"""What a stream gives next, and what it has done with, inside of a transaction of the file."""

from __future__ import annotations

import sqlite3
import sys

import attrs

from rtfs_capability_streams import queues, schema, tables
from rtfs_capability_streams.lines import Open
from rtfs_capability_streams.pipes import Pipes
from rtfs_capability_streams.replies import Replies
from rtfs_capability_streams.rows import Batch, Stream, as_text
from rtfs_capability_streams.sources import Item, is_open, items, kept, several, type_of
from rtfs_framework.api import CapabilityError


@attrs.frozen(slots=True, eq=False)
class Giver:
    """Gives items of all kinds of sources."""

    pipes: Pipes
    replies: Replies

    @staticmethod
    def commit(db: sqlite3.Connection, stream: Stream, done: int) -> None:
        """Have done with the first items of those that were given."""
        if not done:
            return
        if stream.queue is not None:
            taken = db.executemany(schema.TAKEN, [(n, stream.id) for n in stream.given[:done]])
            if taken.rowcount != done:
                raise overtaken(stream)
        stream.seq, stream.position = stream.seq + done, stream.given[done - 1]
        stream.given = stream.given[done:]

    def give(
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
        """Give at most so many items.

        Raises:
            CapabilityError: The first of them cannot be had; it carries the stream's marks.
        """
        stream.marks, stream.running = stream.marks | marks, running
        try:
            found, cut = self._found(db, stream, most, open_)
        except CapabilityError as error:
            raise _marked(error, stream.marks) from error
        stream.given, stream.key = [after for _, after in found], key
        done = stream.status != "open" or not (cut or len(found) == most or self._more(db, stream))
        tables.save(db, stream)
        return Batch(stream, stream.seq, tuple(item for item, _ in found), done, cut)

    def _found(self, db: sqlite3.Connection, stream: Stream, most: int, open_: Open) -> tuple[list[Item], bool]:
        """Return items, each with the position after it, and whether a bound cut them off."""
        found: list[Item] = []
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
        return found, cut

    def take_rest(self, db: sqlite3.Connection, stream: Stream) -> None:
        """Move all that came of a reply into the stream's own queue, which then ends."""
        pieces, _, marks = self.replies.pieces((stream.tenant, stream.id), sys.maxsize)
        stream.marks |= marks
        self._keep(db, stream, pieces, ended=True)

    def _intake(self, db: sqlite3.Connection, stream: Stream) -> None:
        """Move what came of a pipe or a model into the stream's own queue, as far as there is room.

        Raises:
            CapabilityError: Nothing more comes, because the request has failed.
        """
        of = (stream.tenant, stream.queue)
        capacity, closed = db.execute(
            "select capacity, closed from queues where tenant = ? and name = ?", of
        ).fetchone()
        (left,) = db.execute(schema.LEFT, of).fetchone()
        if closed or left >= capacity:
            return
        if stream.asks:
            lines, ended, marks = self.replies.pieces((stream.tenant, stream.id), capacity - left)
            stream.marks |= marks
            failure = None if left or lines else self.replies.failure((stream.tenant, stream.id))
            if failure is not None:
                way_out = "(call :mcp.stream.resume stream) ends it with what came"
                raise CapabilityError(f"{failure.message}; {way_out}", failure.kind)
        else:
            lines, ended = self.pipes.lines(stream.source[1], capacity - left)
        self._keep(db, stream, lines, ended=ended)

    @staticmethod
    def _keep(db: sqlite3.Connection, stream: Stream, lines: list[str], *, ended: bool) -> None:
        of = (stream.tenant, stream.queue)
        rows = [(*of, kept(line), as_text(sorted(stream.marks))) for line in lines]
        db.executemany("insert into items (tenant, queue, value, marks) values (?, ?, ?, ?)", rows)
        if ended:
            db.execute(schema.CLOSE_QUEUE, of)

    def ended(self, db: sqlite3.Connection, stream: Stream, open_: Open) -> bool:
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


def overtaken(stream: Stream) -> CapabilityError:
    """Return the error of a run that another one has overtaken."""
    return CapabilityError(
        f"another run has gone on with the stream {stream.id!r}; run it again to go on from where it is"
    )


def lost(stream: Stream) -> CapabilityError:
    """Return the error of a stream that cannot be read again, and that another process was reading."""
    if stream.asks:
        return CapabilityError(
            f"the stream {stream.id!r} is a reply that ended with the process that heard it, and no model is asked"
            " twice; (call :mcp.stream.resume stream) ends it with what came"
        )
    return CapabilityError(
        f"the stream {stream.id!r} cannot be replayed: a process that has not ended well was reading its pipe,"
        " and what it had taken may be lost; (call :mcp.stream.resume stream) goes on all the same"
    )


def _marked(error: CapabilityError, marks: frozenset[str]) -> CapabilityError:
    return CapabilityError(str(error), error.kind, failure=error.failure, marks=error.marks | marks)
