"""What this distribution offers to rtfs_framework. Imports nothing heavy: handlers load what they need when called."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING

import attrs

from rtfs_framework.api import Bytes, CapabilityEntry, CapabilityRequest, hookimpl, parse_type

if TYPE_CHECKING:
    from rtfs_framework.api import Value

rtfs_api_version = 2

_MIB = 1024 * 1024


def _some(instance: object, attribute: attrs.Attribute[tuple[str, ...]], value: tuple[str, ...]) -> None:
    del instance
    if not value or not all(map(str.strip, value)):
        message = f"'{attribute.name}' names at least one folder, such as [\"./data\"]"
        raise ValueError(message)


@attrs.frozen(slots=True, kw_only=True)
class FilesGrant:
    """What `grant = [{ id = "fs.read", roots = ["./data"] }]` says besides the id."""

    roots: tuple[str, ...] = attrs.field(validator=_some)
    """Folders; relative to the configuration's, `~` is the user's. Nothing outside is reached."""
    globs: tuple[str, ...] = ()
    """Which files of them: patterns of the path within the root, links resolved. `*` stands for anything, also `/`."""
    most_bytes: Bytes = attrs.field(default=Bytes(_MIB), validator=attrs.validators.ge(Bytes(1)))
    """Of one call: what is read, what is written, or the part of a file that one piece is made of."""
    most_rows: int = attrs.field(default=10_000, validator=attrs.validators.ge(1))
    """Entries of a listing, rows of a piece."""


_PATH = "[:union :string [:map [:path :string] [:encoding :string ?]]]"
_STATE = "[:map [:kind [:enum :file :folder :link :other]] [:bytes :int] [:modified :timestamp]]"
_ENTRY = "[:map [:name :string] [:kind [:enum :file :folder :link :other]] [:bytes :int] [:modified :timestamp]]"
_PIECE = "[:map [:rows [:vector :any]] [:next :any]]"
_LINES = (
    "[:union :string [:map [:path :string] [:rows :int ?] [:next :any ?] [:encoding :string ?] [:delimiter :string ?]"
    " [:types [:map-of :string [:enum :int :float :bool :string]] ?]]]"
)
_WHOLE = "[:union :string [:map [:path :string] [:rows :int ?] [:next :any ?]]]"

_FILES = (
    ("fs.read", "Text of a file.", "files:read", (_PATH,), ":string", "file-read", ("ccos.file.read",)),
    ("fs.list", "What a folder holds, by name.", "files:listed", (":string",), f"[:vector {_ENTRY}]", "file-read", ()),
    ("fs.stat", "Kind, size and time of a file; nil of none.", "files:state", (":string",), f"[:union :nil {_STATE}]",
     "file-read", ()),
    ("fs.exists", "Whether there is a file or folder.", "files:exists", (":string",), ":bool", "file-read", ()),
    ("fs.write", "Puts a text in place of a file, whole or not at all.", "files:write", (":string", ":string"), ":int",
     "file-write", ()),
    ("fs.append", "Adds a text to the end of a file.", "files:append", (":string", ":string"), ":int", "file-write",
     ()),
    ("fs.delete", "Removes a file; tells whether there was one.", "files:delete", (":string",), ":bool", "file-write",
     ()),
    ("data.csv", "Rows of a CSV, in pieces.", "lines:csv", (_LINES,), _PIECE, "file-read", ()),
    ("data.jsonl", "Rows of JSON Lines, in pieces.", "lines:jsonl", (_LINES,), _PIECE, "file-read", ()),
    ("data.json", "Items of a JSON array, in pieces.", "wholes:json", (_WHOLE,), _PIECE, "file-read", ()),
    ("data.parquet", "Rows of a Parquet file, in pieces.", "wholes:parquet", (_WHOLE,), _PIECE, "file-read", ()),
)  # fmt: skip


@hookimpl
def rtfs_capabilities() -> list[CapabilityEntry]:
    """Offer files and their data."""
    return [
        CapabilityEntry(
            id=id_,
            summary=summary,
            handler=_later(where),
            parameters=tuple(map(parse_type, parameters)),
            returns=parse_type(returns),
            effects=(effect,),
            order_independent=effect == "file-read",
            idempotent=id_ != "fs.append",
            blocking=True,
            aliases=aliases,
            grant=FilesGrant,
        )
        for id_, summary, where, parameters, returns, effect, aliases in _FILES
    ]


def _later(where: str) -> Callable[[CapabilityRequest], Value]:
    """Return a handler whose module is loaded at its first call."""
    module, _, name = where.partition(":")

    def handle(request: CapabilityRequest) -> Value:
        handler: Callable[[CapabilityRequest], Value] = getattr(import_module(f"rtfs_capability_files.{module}"), name)
        return handler(request)

    return handle
