"""What this distribution offers to rtfs_framework. Imports nothing heavy: sqlite3 comes with the first call."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from rtfs_framework.api import Bytes, CapabilityEntry, CapabilityRequest, hookimpl

if TYPE_CHECKING:
    from rtfs_framework.api import Value

rtfs_api_version = 2


def _place(instance: object, attribute: attrs.Attribute[str], value: str) -> None:
    del instance
    try:
        Path(value).expanduser()
    except RuntimeError:
        message = f"'{attribute.name}': no home folder is known for {value!r}"
        raise ValueError(message) from None
    if not value or "\0" in value:
        message = f"'{attribute.name}' is the path of a database, which has no NUL"
        raise ValueError(message)


@attrs.frozen(slots=True, kw_only=True)
class SqliteGrant:
    """What `grant = [{ id = "sqlite.query", file = "./shop.sqlite" }]` says besides the id: one database."""

    file: str = attrs.field(validator=_place)
    """Where it is; relative to the configuration's folder, `~` is the user's. It must be there."""
    name: str | None = None
    """What programs call it; without it, the file's name without its ending."""
    tables: tuple[str, ...] = ()
    """The only tables that are read or changed, those behind a view or trigger included; without any, all."""
    most_rows: int = attrs.field(default=1000, validator=attrs.validators.ge(1))
    """Rows of a reply, or rows that a statement may change."""
    most_bytes: Bytes = attrs.field(default=Bytes(1024 * 1024), validator=attrs.validators.ge(Bytes(1)))
    """Of a reply's cells."""


_PARAMETERS = (":string", ":string", "[:union :nil [:vector :any] [:map-of [:union :keyword :string] :any]]")


@hookimpl
def rtfs_capabilities() -> list[CapabilityEntry]:
    """Offer queries and changes, each of which is granted by itself."""
    parameters = _PARAMETERS
    return [
        CapabilityEntry(
            id="sqlite.query",
            summary="Rows of a SELECT of a SQLite database, with bound parameters.",
            handler=_query,
            parameters=parameters,
            returns="[:vector [:map-of :string :any]]",
            effects=("database-read",),
            order_independent=True,
            idempotent=True,
            blocking=True,
            isolable=True,
            grant=SqliteGrant,
        ),
        CapabilityEntry(
            id="sqlite.execute",
            summary="Carries out one INSERT, UPDATE or DELETE in a SQLite database, with bound parameters.",
            handler=_execute,
            parameters=parameters,
            returns="[:map [:changed :int] [:last-id [:union :nil :int]]]",
            effects=("database-write",),
            blocking=True,
            isolable=True,
            grant=SqliteGrant,
        ),
    ]


def _query(request: CapabilityRequest) -> Value:
    from rtfs_capability_sqlite.calls import query

    return query(request)


def _execute(request: CapabilityRequest) -> Value:
    from rtfs_capability_sqlite.calls import execute

    return execute(request)
