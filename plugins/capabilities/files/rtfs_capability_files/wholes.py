"""`data.json` and `data.parquet`: items of files that are not made of lines, a piece per call (see `lines`).

A JSON array is read whole for each piece, so no more than `most_bytes` of it. Of a Parquet file the row groups before
a piece are not read; it takes pyarrow, the extra `parquet` of this distribution.
"""

from __future__ import annotations

import os
from datetime import date, datetime, time
from decimal import Decimal
from importlib import import_module
from typing import TYPE_CHECKING, Any

from rtfs_capability_files.beneath import Spot
from rtfs_capability_files.files import check_size
from rtfs_capability_files.grants import at_path
from rtfs_capability_files.texts import argument, decoded, refused
from rtfs_capability_files.tokens import begin_of, most_of, piece
from rtfs_framework.api import (
    CapabilityError,
    CapabilityRequest,
    FailureKind,
    JsonError,
    Map,
    from_json,
    load_json,
    parse_type,
)

if TYPE_CHECKING:
    from rtfs_capability_files.plugin import FilesGrant

_ANY = parse_type(":any")


def json(request: CapabilityRequest) -> Map:
    """Return a piece of the items of a JSON array; anything else is one item."""
    options = argument(request.args[0])
    path = options["path"]

    def act(spot: Spot, own: FilesGrant) -> Map:
        with os.fdopen(spot.open_file(), "rb") as file:
            token, most = begin_of(options, file, "item"), most_of(options, own, path)
            data = file.read(own.most_bytes + 1)
        check_size(len(data), own)
        try:
            found = from_json(_ANY, load_json(decoded(data, options.get("encoding"), path)))
        except JsonError as error:
            raise refused(path, f"no valid JSON: {error}", "JsonError") from None
        items = found if isinstance(found, tuple) else (found,)
        begin = token.places["item"]
        end = begin + most
        return piece(list(items[begin:end]), token.after(item=end) if end < len(items) else None)

    return at_path(request.grants, path, act)


def parquet(request: CapabilityRequest) -> Map:
    """Return a piece of the rows of a Parquet file: maps from column to value."""
    options = argument(request.args[0])
    path = options["path"]

    def act(spot: Spot, own: FilesGrant) -> Map:
        with os.fdopen(spot.open_file(), "rb") as file:
            token, most = begin_of(options, file, "row"), most_of(options, own, path)
            reader, broken = _pyarrow(), _broken()
            try:
                rows, total = _rows(reader.ParquetFile(file), token.places["row"], most, own)
            except broken as error:
                raise refused(path, f"no Parquet file that can be read: {str(error)[:200]}") from None
        end = token.places["row"] + len(rows)
        return piece(rows, token.after(row=end) if rows and end < total else None)

    return at_path(request.grants, path, act)


def _pyarrow() -> Any:
    try:
        return import_module("pyarrow.parquet")
    except ImportError:
        message = 'data.parquet needs pyarrow: pip install "rtfs-capability-files[parquet]"'
        raise CapabilityError(message, "ResourceError", failure=FailureKind.SAFE) from None


def _broken() -> tuple[type[Exception], ...]:
    """Return the errors of a file that is damaged, or of values that Python has none of: pyarrow's, and others."""
    own = getattr(import_module("pyarrow"), "ArrowException", OSError)
    return (own, OSError, ValueError, ArithmeticError, LookupError, TypeError, NotImplementedError, RecursionError)


def _rows(file: Any, begin: int, most: int, own: FilesGrant) -> tuple[list[Any], int]:
    """Return rows from one on, of the row groups that hold them, and how many rows the file has.

    They are decoded some at a time, for a row group may be much larger than a piece.
    """
    sizes = [file.metadata.row_group(each).num_rows for each in range(file.num_row_groups)]
    group = 0
    while group < len(sizes) and begin >= sizes[group]:
        begin -= sizes[group]
        group += 1
    rows, taken = list[Any](), 0
    for batch in file.iter_batches(batch_size=most, row_groups=range(group, len(sizes))):
        part = batch.slice(begin, most - len(rows))
        begin = max(begin - batch.num_rows, 0)
        taken += part.nbytes
        check_size(taken, own)
        rows += (Map.wrap({name: _value(item) for name, item in row.items()}) for row in part.to_pylist())
        if len(rows) >= most:
            break
    return rows, sum(sizes)


def _value(item: Any) -> Any:
    """Return what pyarrow made of a cell as a value of programs; what has no such value is refused.

    Raises:
        ValueError: Bytes, intervals, and such.
    """
    if item is None or item.__class__ in (bool, int, float, str):
        return item
    if isinstance(item, dict):
        return Map.wrap({str(key): _value(each) for key, each in item.items()})
    if isinstance(item, list):
        return tuple(map(_value, item))
    if isinstance(item, datetime | date | time):
        return item.isoformat()
    if isinstance(item, Decimal):
        return str(item)
    message = f"a cell is {item.__class__.__name__}, which programs cannot hold"
    raise ValueError(message)
