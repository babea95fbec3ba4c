"""Requests that come again: an equal one gets the answer that was given, one under way is waited for.

One under way whose clients have all gone is ended soon: not at once, for a connection that broke may be tried again.

A request with a `key` is known by it, for one tenant. Answers are kept in memory, and in a file beside the journal, so
that a server that was restarted knows them; what carries marks of labels is kept in memory alone. What may end
otherwise the next time (a deadline, a busy server, a quota) is not kept.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from rtfs_framework.api.sqlite_file import SqliteTables, in_transaction
from rtfs_framework.api.sqlite_held import HeldFile
from rtfs_framework.lang.errors import RtfsError
from rtfs_framework.orchestrator.recording.purse import Stopping
from rtfs_framework.server.attending import attended
from rtfs_framework.server.problems import CONFLICT, Problem, late

if TYPE_CHECKING:
    from rtfs_framework.api.values import Clock
    from rtfs_framework.server.attending import Gone

FILE = "replays.sqlite"
_ANSWERS = """create table answers (
    tenant text not null, key text not null, asked text not null, status integer not null, body blob not null,
    until real not null, primary key (tenant, key)
) without rowid"""
_TABLES = SqliteTables(0x52544652, 1, (_ANSWERS, "create index answers_until on answers (until)"))
_KEPT = frozenset({200, 403, 422})
"""Of answers that would be the same again, or must not be tried again."""
_MOST_BYTES = 64 << 20
_MOST_ANSWERS = 20_000
_COMES_AGAIN = 2.0
"""Seconds within which a client whose connection broke sends its request again."""


@attrs.frozen(slots=True)
class Given:
    """An answer as it was sent."""

    status: int
    body: bytes
    private: bool = False
    """Whether it carries marks, and so is written nowhere."""


@attrs.frozen(slots=True)
class _Answer:
    asked: str
    given: Given
    until: float


Id = tuple[str, str]
"""Tenant and key."""


@attrs.define(slots=True, eq=False)
class _Flight:
    """An answer that is being made."""

    asked: str
    future: asyncio.Future[Given | None] = attrs.field(factory=lambda: asyncio.get_running_loop().create_future())
    waiting: int = 0
    """Clients that wait for it besides the first one's."""
    changed: asyncio.Event = attrs.field(factory=asyncio.Event)

    def count(self, change: int) -> None:
        """Count a client that comes, or goes."""
        self.waiting += change
        self.changed.set()

    async def abandoned(self, gone: Gone, patience: float) -> None:
        """Wait until the first client has gone, and for so many seconds nobody waits."""
        await gone()
        while True:
            self.changed.clear()
            try:
                await asyncio.wait_for(self.changed.wait(), None if self.waiting else patience)
            except asyncio.TimeoutError:
                return


@attrs.define(slots=True, eq=False)
class Replays:
    """The answers that are kept. Used in the server's event loop; its file is written in threads."""

    path: Path
    clock: Clock
    comes_again: float = _COMES_AGAIN
    _answers: OrderedDict[Id, _Answer] = attrs.field(factory=OrderedDict, init=False)
    _size: int = attrs.field(default=0, init=False)
    _under_way: dict[Id, _Flight] = attrs.field(factory=dict, init=False)
    _file: HeldFile = attrs.field(init=False)

    @_file.default
    def _held(self) -> HeldFile:
        return HeldFile(self.path, _TABLES, RtfsError)

    def open(self) -> None:
        """Read what an earlier server has answered. Blocks. Without a file, nothing was."""
        with suppress(RtfsError):
            for tenant, key, asked, status, body, until in self._file.do(self._read) if self._file.exists else ():
                self._keep((tenant, key), _Answer(asked, Given(status, body), until))

    def _read(self, db: sqlite3.Connection) -> list[tuple[str, str, str, int, bytes, float]]:
        columns = "tenant, key, asked, status, body, until"
        db.execute("delete from answers where until < ?", (self.clock.now(),))
        rows = db.execute(f"select {columns} from answers order by until desc limit {_MOST_ANSWERS}")  # noqa: S608
        return rows.fetchall()[::-1]

    async def answer(
        self,
        tenant: str,
        key: str,
        asked: str,
        seconds: float,
        make: Callable[[Gone], Awaitable[Given]],
        gone: Gone,
        patience: float | None = None,
    ) -> tuple[Given, bool]:
        """Return the answer of a request, and whether it was given before; `asked` says what it wants.

        An answer is kept for `seconds`; one that is under way is waited for as long as `patience` says. `gone` is when
        this client goes; `make` is told when all have.

        Raises:
            Problem: 409, another request has this key; 408, the one that is waited for takes longer; 400, the client
                has gone.
        """
        id_ = (tenant, key)
        while True:
            known = self._known(id_)
            if known is not None:
                _check(known.asked, asked)
                return known.given, True
            under_way = self._under_way.get(id_)
            if under_way is None:
                return await self._first(id_, _Flight(asked), seconds, make, gone), False
            _check(under_way.asked, asked)
            under_way.count(1)
            try:
                given = await attended(asyncio.shield(under_way.future), gone, Stopping(), patience)
            except asyncio.TimeoutError:
                raise late() from None
            finally:
                under_way.count(-1)
            if given is not None:
                return given, True

    async def _first(
        self, id_: Id, flight: _Flight, seconds: float, make: Callable[[Gone], Awaitable[Given]], gone: Gone
    ) -> Given:
        self._under_way[id_] = flight
        given = None
        try:
            made = await make(lambda: flight.abandoned(gone, self.comes_again))
            if made.status in _KEPT:
                given = made
                await self._note(id_, _Answer(flight.asked, made, self.clock.now() + seconds))
            return made
        finally:
            self._under_way.pop(id_, None)
            flight.future.set_result(given)

    def _known(self, id_: Id) -> _Answer | None:
        found = self._answers.get(id_)
        if found is not None and found.until <= self.clock.now():
            self._forget(id_)
            return None
        return found

    async def _note(self, id_: Id, answer: _Answer) -> None:
        self._keep(id_, answer)
        if not answer.given.private:
            await asyncio.get_running_loop().run_in_executor(None, self._write, id_, answer)

    def _keep(self, id_: Id, answer: _Answer) -> None:
        self._forget(id_)
        self._answers[id_] = answer
        self._size += len(answer.given.body)
        while self._size > _MOST_BYTES or len(self._answers) > _MOST_ANSWERS:
            self._forget(next(iter(self._answers)))

    def _forget(self, id_: Id) -> None:
        found = self._answers.pop(id_, None)
        if found is not None:
            self._size -= len(found.given.body)

    def _write(self, id_: Id, answer: _Answer) -> None:
        row = (*id_, answer.asked, answer.given.status, answer.given.body, answer.until)

        def work(db: sqlite3.Connection) -> None:
            db.execute("insert or replace into answers values (?, ?, ?, ?, ?, ?)", row)
            db.execute("delete from answers where until < ?", (self.clock.now(),))

        with suppress(RtfsError):  # this process knows it all the same
            self._file.do(lambda db: in_transaction(db, work))

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _check(known: str, asked: str) -> None:
    if known != asked:
        message = "another request has this key; use a fresh key for each request"
        raise Problem(409, CONFLICT, message, kind="Conflict")


def asked_for(*parts: str) -> str:
    """Return what a request wants, as one digest: equal requests have equal ones."""
    made = sha256()
    for part in parts:
        raw = part.encode("utf-8", "surrogatepass")
        made.update(len(raw).to_bytes(8, "big"))
        made.update(raw)
    return made.hexdigest()
