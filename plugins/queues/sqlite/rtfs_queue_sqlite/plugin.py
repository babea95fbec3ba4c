"""What this distribution offers to rtfs_framework. Imports nothing heavy: sqlite3 comes when a queue is made."""

from __future__ import annotations

from typing import Literal

import attrs

from rtfs_framework.api import Queue, QueueEntry, QueueSettings, hookimpl

rtfs_api_version = 2

FILE = "queue.sqlite"


@attrs.frozen(slots=True, kw_only=True)
class SqliteSettings:
    """The keys of `[queues.sqlite]`."""

    path: str | None = None
    """The file; relative to the configuration's folder. Without it, one of the host's own."""
    sync: Literal["normal", "full"] = "normal"
    """"normal": what was acknowledged survives every process; "full": also a machine that loses its power."""


@hookimpl
def rtfs_queues() -> list[QueueEntry]:
    """Offer the queue `sqlite`."""
    return [
        QueueEntry(
            name="sqlite",
            summary="One SQLite file on this machine, for any number of processes.",
            factory=_make,
            settings=SqliteSettings,
            remote=False,
        )
    ]


def _make(settings: QueueSettings) -> Queue:
    from rtfs_queue_sqlite.queue import SqliteQueue

    own = settings.own or SqliteSettings()
    return SqliteQueue(settings.place(own.path, FILE), settings, sync=own.sync)
