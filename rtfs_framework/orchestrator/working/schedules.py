"""Runs that are ordered by the clock: schedules in a small file, and which of their times have come.

A schedule is five fields of cron (`cronsim` reads them, and steps through them by a time zone's own clock, so that an
hour that is skipped or comes twice is told as Debian's cron does). What is due goes to the durable queue with a key of
its schedule and its time: whoever orders it twice, after a crash say, orders it once. Only then is it noted as done.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import attrs

from rtfs_framework.api.private import private_folder
from rtfs_framework.api.sqlite_file import NotOurFileError, SqliteTables, in_transaction, open_sqlite
from rtfs_framework.api.values import Clock
from rtfs_framework.lang.errors import RtfsError

FILE = "schedules.sqlite"
_TABLE = (
    "create table schedules (id text primary key, cron text not null, zone text not null, file text not null,"
    " args text not null, config text, tenant text not null, added real not null, last real not null)"
)
_TABLES = SqliteTables(0x52544653, 1, (_TABLE,))
"""Its mark is "RTFS"."""
_UTC = "UTC"


class ScheduleError(RtfsError):
    """A schedule that is none, or is not there, or whose file cannot be used."""

    code = "E0928"

    def __init__(self, problem: str, way_out: str) -> None:
        super().__init__(f"error[{self.code}]: {problem}\n  help: {way_out}")
        self.problem = problem
        self.way_out = way_out


@attrs.frozen(slots=True, kw_only=True)
class Schedule:
    """A program that is ordered again and again. Its fields are the table's columns."""

    id: str
    cron: str
    zone: str
    """Of the clock that its times are of, such as "Europe/Berlin"."""
    file: str
    args: tuple[str, ...] = ()
    config: str | None = None
    tenant: str = ""
    added: float = 0.0
    last: float = 0.0
    """The latest of its times that was ordered, or passed over; seconds since the epoch."""

    def times(self, after: float) -> Iterator[float]:
        """Yield its times after a moment, the next one first.

        Raises:
            ScheduleError: Its fields are none of cron, or there is no such zone.
        """
        try:
            from cronsim import CronSim, CronSimError
        except ImportError as error:
            raise ScheduleError(
                "schedules need the library cronsim", "pip install 'rtfs-framework[schedule]'"
            ) from error
        try:
            zone = timezone.utc if self.zone == _UTC else ZoneInfo(self.zone)
            found = CronSim(self.cron, datetime.fromtimestamp(after, zone))
        except CronSimError as error:
            wrong = f"'{self.cron}' is no schedule: {error}"
            way_out = "write five fields: minute hour day month weekday, such as '0 7 * * 1-5'"
            raise ScheduleError(wrong, way_out) from error
        except (OSError, ValueError, KeyError) as error:
            raise ScheduleError(f"there is no time zone '{self.zone}'", "such as Europe/Berlin, or UTC") from error
        for each in found:
            yield each.timestamp()

    def due(self, now: float) -> tuple[float, int] | None:
        """Return the latest of its times that has come and was not ordered, and how many came before it; else None.

        Those before it are passed over: a machine that was off for a day orders one run, not many.
        """
        latest, count = None, 0
        for each in self.times(self.last):
            if each > now:
                break
            latest, count = each, count + 1
        return None if latest is None else (latest, count - 1)

    @property
    def key(self) -> str:
        """What its orders' keys begin with."""
        return f"schedule:{self.id}:"


_COLUMNS = [field.name for field in attrs.fields(Schedule)]
_GET = f"select {', '.join(_COLUMNS)} from schedules order by added, id"  # noqa: S608 - our own names
_PUT = f"insert into schedules values ({', '.join('?' * len(_COLUMNS))})"  # noqa: S608 - marks alone


@attrs.define(slots=True, eq=False)
class ScheduleStore:
    """The schedules of one user, in a folder. Each use opens the file for itself: it is rare, and shared."""

    folder: Path
    clock: Clock

    def add(self, schedule: Schedule) -> Schedule:
        """Keep a schedule, with an id of its own; its first time is the next one from now.

        Raises:
            ScheduleError: It is none, or the file cannot be used.
        """
        now = self.clock.now()
        next(schedule.times(now), None)
        made = attrs.evolve(schedule, id=os.urandom(5).hex(), added=now, last=now)
        row = attrs.astuple(attrs.evolve(made, args=json.dumps(made.args)))  # type: ignore[arg-type]
        self._do(lambda db: in_transaction(db, lambda db: db.execute(_PUT, row)))
        return made

    def listed(self) -> list[Schedule]:
        """Return all, the oldest first.

        Raises:
            ScheduleError: The file cannot be used.
        """
        return [_row(row) for row in self._do(lambda db: db.execute(_GET).fetchall())]

    def named(self, id_: str) -> Schedule:
        """Return the one of an id, or of an id that begins so.

        Raises:
            ScheduleError: There is none, or more than one.
        """
        found = [each for each in self.listed() if id_ and each.id.startswith(id_)]
        if len(found) != 1:
            what = f"several schedules begin with '{id_}'" if found else f"no schedule has the id '{id_:.40}'"
            raise ScheduleError(what, "`rtfs schedule list` shows them")
        return found[0]

    def remove(self, id_: str) -> Schedule:
        """Forget one.

        Raises:
            ScheduleError: There is none of this id.
        """
        known = self.named(id_)
        delete = "delete from schedules where id = ?"
        self._do(lambda db: in_transaction(db, lambda db: db.execute(delete, (known.id,))))
        return known

    def done(self, schedule: Schedule, moment: float) -> None:
        """Note that one of its times was ordered, and all before it are passed over."""
        change = "update schedules set last = max(last, ?) where id = ?"
        self._do(lambda db: in_transaction(db, lambda db: db.execute(change, (moment, schedule.id))))

    def _do(self, work: Any) -> Any:
        path = self.folder / FILE
        try:
            private_folder(self.folder)
            db = open_sqlite(path, _TABLES)
        except (OSError, sqlite3.Error, NotOurFileError) as error:
            raise self._unusable(path, error) from error
        try:
            return work(db)
        except sqlite3.Error as error:
            raise self._unusable(path, error) from error
        finally:
            db.close()

    @staticmethod
    def _unusable(path: Path, error: Exception) -> ScheduleError:
        return ScheduleError(f"{path}: schedules cannot be kept: {error}", "check the folder's rights and space")


def _row(found: tuple[Any, ...]) -> Schedule:
    made = dict(zip(_COLUMNS, found, strict=True))
    return Schedule(**{**made, "args": tuple(json.loads(made["args"]))})
