"""What this distribution offers to rtfs_framework. Imports nothing heavy."""

from __future__ import annotations

import attrs

from rtfs_framework.api import Store, StoreEntry, StoreFaults, StoreSettings, hookimpl

rtfs_api_version = 2

DISTRIBUTION = "rtfs-store-directory"


@attrs.frozen(slots=True, kw_only=True)
class DirectorySettings:
    """The keys of a table of this store."""

    path: str | None = None
    """The folder; relative to the configuration's. Without it, one of the host's own."""
    read_only: bool = False
    """Whether it is only read: it must be there then, and nothing is written to it."""


@hookimpl
def rtfs_stores() -> list[StoreEntry]:
    """Offer the store `directory`."""
    return [
        StoreEntry(
            name="directory",
            summary="A folder: a file for each blob and name, fit for a static file server.",
            factory=_make,
            settings=DirectorySettings,
            remote=False,
        )
    ]


def _make(settings: StoreSettings) -> Store:
    from rtfs_store_directory.store import DirectoryStore

    own = settings.own or DirectorySettings()
    faults = StoreFaults(DISTRIBUTION, settings.name)
    place = faults.place(settings, own.path, "folder")
    return DirectoryStore(place, faults, read_only=own.read_only)
