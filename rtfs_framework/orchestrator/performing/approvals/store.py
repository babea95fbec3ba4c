"""The file of what waits for a person, and of their answers: one small table that processes share.

The process that waits writes a row and looks at it until somebody has answered; `rtfs approve` answers it. A row holds
all that a yes covers; the arguments are in it by digest alone, unless the configuration keeps them. An answer that
comes when the time is over counts as none.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

import attrs

from rtfs_framework.api.private import private_folder
from rtfs_framework.api.sqlite_file import NotOurFileError, SqliteTables, in_transaction, open_sqlite
from rtfs_framework.api.values import Clock
from rtfs_framework.lang.errors import RtfsError

FILE = "approvals.sqlite"
UNREADABLE = "E0740"
"""The file cannot be used."""
NO_SUCH = "E0741"
"""Nothing of this id waits."""

State = Literal["waiting", "yes", "no", "late", "withdrawn"]
_KEPT = 30 * 86_400.0
"""Seconds for which answered rows are kept, for `rtfs approve list --all`."""

_TABLE = (
    "create table approvals (id text primary key, asked real not null, until real not null, state text not null,"
    " run text not null, call text not null, symbol text not null, target text not null, approver text not null,"
    " args_digest text not null, args_text text, policy text not null, tenant text not null, answered real,"
    " answered_by text, reason text)"
)
_TABLES = SqliteTables(0x52544641, 1, (_TABLE, "create index approvals_by_state on approvals (state, asked)"))
"""Its mark is "RTFA"."""


def _always() -> bool:
    return True


def new_id() -> str:
    """Return an id that nothing else has."""
    return os.urandom(5).hex()


class ApprovalError(RtfsError):
    """What keeps an answer from being asked for, or given."""

    def __init__(self, code: str, message: str, way_out: str) -> None:
        super().__init__(f"{message}\n  help: {way_out}")
        self.code = code
        self.problem = message
        self.way_out = way_out


@attrs.frozen(slots=True, kw_only=True)
class Approval:
    """One call that waits, or waited. Its fields are the table's columns."""

    id: str
    asked: float
    until: float
    """Seconds since the epoch: no answer by then means no."""
    state: State
    run: str
    call: str
    """The call's id within its run."""
    symbol: str
    target: str
    approver: str
    """Who is asked: a name or a role, as the configuration says it."""
    args_digest: str
    args_text: str | None
    policy: str
    tenant: str
    answered: float | None = None
    answered_by: str | None = None
    reason: str | None = None

    @property
    def covers(self) -> tuple[str, ...]:
        """What a yes is good for: another call, other arguments, another target or another policy need another one."""
        return self.run, self.call, self.symbol, self.target, self.args_digest, self.policy, self.tenant


_COLUMNS = [field.name for field in attrs.fields(Approval)]
_GET = f"select {', '.join(_COLUMNS)} from approvals"  # noqa: S608 - the names of the columns are ours


@attrs.define(slots=True, eq=False)
class ApprovalStore:
    """The approvals of one user, in a folder. Each use opens the file for itself: it is rare, and shared."""

    folder: Path
    clock: Clock

    @property
    def path(self) -> Path:
        """The file."""
        return self.folder / FILE

    def ask(
        self, timeout: float, *, past: bool = False, id_: str = "", wanted: Callable[[], bool] = _always, **fields: Any
    ) -> Approval:
        """Write down that a call waits; `fields` are those of `Approval` that say which, and for what.

        A call of a run that is gone on with (`past`) may wait already, or be answered: then that row stands. `wanted`
        is asked while no one else can write: what is not wanted any more by then never waits.

        Raises:
            ApprovalError: The file cannot be used.
        """
        now = self.clock.now()
        made = Approval(id=id_ or new_id(), asked=now, until=now + timeout, state="waiting", **fields)

        def write(db: sqlite3.Connection) -> None:
            db.execute("delete from approvals where state != 'waiting' and asked < ?", (now - _KEPT,))
            db.execute("update approvals set state = 'late' where state = 'waiting' and until < ?", (now,))
            marks = ", ".join("?" * len(_COLUMNS))
            row = made if wanted() else attrs.evolve(made, state="withdrawn")
            db.execute(f"insert into approvals values ({marks})", attrs.astuple(row))  # noqa: S608 - marks alone

        if past:
            same = [each for each in self._of_run(made.run) if each.covers == made.covers]
            if same and same[-1].state != "withdrawn":
                return same[-1]
        self._do(lambda db: in_transaction(db, write))
        return made

    def _of_run(self, run: str) -> list[Approval]:
        return [
            _row(row)
            for row in self._do(lambda db: db.execute(f"{_GET} where run = ? order by asked", (run,)).fetchall())
        ]

    def get(self, id_: str) -> Approval:
        """Return the one of an id, or of an id that begins so.

        Raises:
            ApprovalError: There is none, or more than one; or the file cannot be used.
        """
        id_ = _storable(id_)
        found = self._do(
            lambda db: db.execute(f"{_GET} where substr(id, 1, ?) = ? limit 2", (len(id_), id_)).fetchall()
        )
        if len(found) != 1 or not id_:
            what = f"several approvals begin with '{id_}'" if found else f"no approval has the id '{id_:.40}'"
            raise ApprovalError(NO_SUCH, what, "rtfs approve list shows those that wait, --all those that did")
        return _row(found[0])

    def listed(self, *, every: bool = False) -> list[Approval]:
        """Return what waits now, the oldest first; with `every` also what was answered."""
        if not self.path.exists():
            return []
        rows = map(_row, self._do(lambda db: db.execute(f"{_GET} order by asked, id").fetchall()))
        now = self.clock.now()
        return [row for row in rows if every or (row.state == "waiting" and row.until > now)]

    def answer(self, id_: str, *, yes: bool, by: str, reason: str = "") -> Approval:
        """Answer one that waits.

        Raises:
            ApprovalError: It does not wait (any more), or the file cannot be used.
        """
        known = self.get(id_)
        state: State = "yes" if yes else "no"
        change = (
            "update approvals set state = ?, answered = ?, answered_by = ?, reason = ?"
            " where id = ? and state = 'waiting' and until > ?"
        )
        now = self.clock.now()
        values = (state, now, _storable(by), _storable(reason) or None, known.id, now)
        done = self._do(lambda db: in_transaction(db, lambda db: db.execute(change, values).rowcount))
        found = self.get(known.id)
        if not done:
            late = found.state == "late" or found.until <= now
            ended = "its run has ended" if found.state == "withdrawn" else f"the answer was {found.state}"
            why = "its time is over" if late else ended
            wrong = f"{found.id} does not wait any more: {why}"
            raise ApprovalError(NO_SUCH, wrong, "run the program again: it asks anew")
        return found

    def end(self, id_: str, state: Literal["late", "withdrawn"]) -> Approval:
        """Stop waiting, unless an answer came first; return what stands then."""
        change = "update approvals set state = ? where id = ? and state = 'waiting'"
        self._do(lambda db: in_transaction(db, lambda db: db.execute(change, (state, id_)).rowcount))
        return self.get(id_)

    def _do(self, work: Any) -> Any:
        try:
            private_folder(self.folder)
            db = open_sqlite(self.path, _TABLES)
        except (OSError, sqlite3.Error, NotOurFileError) as error:
            raise self._unusable(error) from error
        try:
            return work(db)
        except sqlite3.Error as error:
            raise self._unusable(error) from error
        finally:
            db.close()

    def _unusable(self, error: Exception) -> ApprovalError:
        way_out = "check the folder's rights and space; a file that is broken may be moved away, nothing else needs it"
        return ApprovalError(UNREADABLE, f"{self.path}: approvals cannot be kept: {error}", way_out)


def _storable(text: str) -> str:
    """Return a text of a command line, where bytes that are no UTF-8 are lone surrogates, as a file can hold it."""
    return text.encode("utf-8", "backslashreplace").decode()


def _row(found: tuple[Any, ...]) -> Approval:
    return Approval(**dict(zip(_COLUMNS, found, strict=True)))


def approval_json(approval: Approval) -> Mapping[str, Any]:
    """Return one as JSON-ready data."""
    return attrs.asdict(approval)
