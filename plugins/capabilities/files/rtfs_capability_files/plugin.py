"""What this distribution offers to rtfs_framework. Imports nothing heavy: handlers load what they need when called."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from rtfs_framework.api import Bytes, CapabilityEntry, CapabilityRequest, hookimpl

if TYPE_CHECKING:
    from rtfs_framework.api import Value

rtfs_api_version = 2

_MIB = 1024 * 1024


def _some(instance: object, attribute: attrs.Attribute[tuple[str, ...]], value: tuple[str, ...]) -> None:
    del instance
    if not value or not all(map(str.strip, value)):
        message = f"'{attribute.name}' names at least one folder, such as [\"./data\"]"
        raise ValueError(message)
    for each in value:
        try:
            Path(each).expanduser()
        except RuntimeError:
            message = f"'{attribute.name}': no home folder is known for {each!r}"
            raise ValueError(message) from None
        if "\0" in each:
            message = f"'{attribute.name}': a path has no NUL: {each!r}"
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


_READS, _WRITES = "file-read", "file-write"
_TEXT = (":string", ":string")
_PATH = "[:union :string [:map [:path :string] [:encoding :string ?] [:* :never]]]"
_STATE = "[:map [:kind [:enum :file :folder :link :other]] [:bytes :int] [:modified :timestamp]]"
_ENTRY = "[:map [:name :string] [:kind [:enum :file :folder :link :other]] [:bytes :int] [:modified :timestamp]]"
_PIECE = "[:map [:rows [:vector :any]] [:next :any]]"
_CSV = (
    "[:union :string [:map [:path :string] [:rows :int ?] [:next :any ?] [:encoding :string ?] [:delimiter :string ?]"
    " [:types [:map-of :string [:enum :int :float :bool :string]] ?]"
    " [:* :never]]]"
)
_LINES = "[:union :string [:map [:path :string] [:rows :int ?] [:next :any ?] [:encoding :string ?] [:* :never]]]"
_WHOLE = "[:union :string [:map [:path :string] [:rows :int ?] [:next :any ?] [:* :never]]]"


def _read(request: CapabilityRequest) -> Value:
    from rtfs_capability_files.files import read

    return read(request)


def _list(request: CapabilityRequest) -> Value:
    from rtfs_capability_files.files import listed

    return listed(request)


def _stat(request: CapabilityRequest) -> Value:
    from rtfs_capability_files.files import state

    return state(request)


def _exists(request: CapabilityRequest) -> Value:
    from rtfs_capability_files.files import exists

    return exists(request)


def _write(request: CapabilityRequest) -> Value:
    from rtfs_capability_files.files import write

    return write(request)


def _append(request: CapabilityRequest) -> Value:
    from rtfs_capability_files.files import append

    return append(request)


def _delete(request: CapabilityRequest) -> Value:
    from rtfs_capability_files.files import delete

    return delete(request)


def _csv(request: CapabilityRequest) -> Value:
    from rtfs_capability_files.lines import csv

    return csv(request)


def _jsonl(request: CapabilityRequest) -> Value:
    from rtfs_capability_files.lines import jsonl

    return jsonl(request)


def _json(request: CapabilityRequest) -> Value:
    from rtfs_capability_files.wholes import json

    return json(request)


def _parquet(request: CapabilityRequest) -> Value:
    from rtfs_capability_files.wholes import parquet

    return parquet(request)


_Handler = Callable[[CapabilityRequest], "Value"]
_FILES: tuple[tuple[str, str, _Handler, tuple[str, ...], str, str], ...] = (
    ("fs.read", "Text of a file.", _read, (_PATH,), ":string", _READS),
    ("fs.list", "What a folder holds, by name.", _list, (":string",), f"[:vector {_ENTRY}]", _READS),
    ("fs.stat", "Kind, size and time of a file; nil of none.", _stat, (":string",), f"[:union :nil {_STATE}]", _READS),
    ("fs.exists", "Whether there is a file or folder.", _exists, (":string",), ":bool", _READS),
    ("fs.write", "Puts a text in place of a file, whole or not at all.", _write, _TEXT, ":int", _WRITES),
    ("fs.append", "Adds a text to the end of a file.", _append, _TEXT, ":int", _WRITES),
    ("fs.delete", "Removes a file; tells whether there was one.", _delete, (":string",), ":bool", _WRITES),
    ("data.csv", "Rows of a CSV, in pieces.", _csv, (_CSV,), _PIECE, _READS),
    ("data.jsonl", "Rows of JSON Lines, in pieces.", _jsonl, (_LINES,), _PIECE, _READS),
    ("data.json", "Items of a JSON array, in pieces.", _json, (_LINES,), _PIECE, _READS),
    ("data.parquet", "Rows of a Parquet file, in pieces.", _parquet, (_WHOLE,), _PIECE, _READS),
)
_ALIASES = {
    "fs.read": ("ccos.file.read", "ccos.io.read-file", "ccos.fs.read-file", "ccos.fs.read", "ccos.io.open-file"),
    "fs.write": ("ccos.file.write", "ccos.io.write-file", "ccos.fs.write-file", "ccos.fs.write"),
    "fs.delete": ("ccos.io.delete-file",),
    "fs.exists": ("ccos.io.file-exists", "ccos.fs.exists"),
    "fs.list": ("ccos.fs.list",),
}


@hookimpl
def rtfs_capabilities() -> list[CapabilityEntry]:
    """Offer files and their data."""
    return [
        CapabilityEntry(
            id=id_,
            summary=summary,
            handler=handler,
            parameters=tuple(parameters),
            returns=returns,
            effects=(effect,),
            order_independent=effect == _READS,
            idempotent=id_ != "fs.append",
            blocking=True,
            isolable=True,
            aliases=_ALIASES.get(id_, ()),
            grant=FilesGrant,
        )
        for id_, summary, handler, parameters, returns, effect in _FILES
    ]
