"""What this distribution offers to rtfs_framework. Imports nothing heavy: sqlite3 comes when a store is made."""

from __future__ import annotations

import attrs

from rtfs_framework.api import Store, StoreEntry, StoreFaults, StoreSettings, hookimpl

rtfs_api_version = 2

DISTRIBUTION = "rtfs-store-sqlite"


@attrs.frozen(slots=True, kw_only=True)
class SqliteSettings:
    """The keys of a table of this store."""

    path: str | None = None
    """The file; relative to the configuration's folder. Without it, one of the host's own."""
    read_only: bool = False
    """Whether this host only reads it: it must be there then."""


@hookimpl
def rtfs_stores() -> list[StoreEntry]:
    """Offer the store `sqlite`."""
    return [
        StoreEntry(
            name="sqlite",
            summary="One SQLite file on this machine, for any number of processes.",
            factory=_make,
            settings=SqliteSettings,
            remote=False,
        )
    ]


def _make(settings: StoreSettings) -> Store:
    from rtfs_store_sqlite.store import SqliteStore

    own = settings.own or SqliteSettings()
    faults = StoreFaults(DISTRIBUTION, settings.name)
    place = faults.place(settings, own.path, "file")
    if own.path is None:
        place = place.with_name(f"{place.name}.sqlite")
    return SqliteStore(place, faults, read_only=own.read_only)
