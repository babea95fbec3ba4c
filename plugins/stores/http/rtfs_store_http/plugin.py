"""What this distribution offers to rtfs_framework. Imports nothing heavy: the client comes when a store is made."""

from __future__ import annotations

import attrs
from attrs import validators

from rtfs_framework.api import Seconds, Store, StoreEntry, StoreFaults, StoreSettings, hookimpl, plausible

rtfs_api_version = 2

DISTRIBUTION = "rtfs-store-http"


@attrs.frozen(slots=True, kw_only=True)
class HttpSettings:
    """The keys of a table of this store."""

    url: str | None = None
    """Where the folder is handed out: `https://programs.example/rtfs`."""
    token_env: str | None = None
    """The environment variable with a token, which goes along as `Authorization: Bearer …`."""
    timeout: Seconds = attrs.field(
        default=Seconds(30.0), validator=[validators.gt(Seconds(0.0))], metadata=plausible(0.1, 3_600)
    )
    """Seconds for one file, from the first byte asked to the last one received."""
    retries: int = attrs.field(default=2, validator=[validators.ge(0), validators.le(10)])
    """How often it is asked again after a failure that may pass."""


@hookimpl
def rtfs_stores() -> list[StoreEntry]:
    """Offer the store `http`."""
    return [
        StoreEntry(
            name="http",
            summary="A mirror that any static file server hands out; it is only read.",
            factory=_make,
            settings=HttpSettings,
        )
    ]


def _make(settings: StoreSettings) -> Store:
    from rtfs_store_http.store import HttpStore

    return HttpStore(settings.own or HttpSettings(), StoreFaults(DISTRIBUTION, settings.name), settings.environ)
