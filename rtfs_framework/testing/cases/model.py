"""The records of conformance cases, and reading them from TOML files."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # type: ignore[import-not-found, unused-ignore]


@attrs.frozen(slots=True, kw_only=True)
class Case:
    """One fact. Fields as in the case files' README."""

    id: str
    topic: str
    file: str
    source: str = ""
    entry: str | None = None
    expect: str | None = None
    error: str | None = None
    outcome: str | None = None
    host: tuple[Mapping[str, Any], ...] = ()
    has_host: bool = False
    events: tuple[str, ...] | None = None
    context: Mapping[str, str] = attrs.field(factory=dict)
    cross: Mapping[str, str] = attrs.field(factory=dict)
    security: str = "full"
    deny_isolation: str | None = None
    files: Mapping[str, str] = attrs.field(factory=dict)
    load: tuple[str, ...] = ()
    layer: str | None = None
    lowers_to: str | None = None
    certain: bool = True
    note: str = ""


class CaseFileError(ValueError):
    """A case file that cannot be used; says which file, which case and why."""


_FIELDS = {field.name for field in attrs.fields(Case)}
_IGNORED = {"status", "basis", "engine"}
_TUPLES = ("host", "events", "load")


def read_cases(paths: list[Path]) -> Iterator[Case]:
    """Yield the cases of files and of the `*.toml` files of folders, in order.

    Raises:
        CaseFileError: a path does not exist, a file is no TOML, or a case has unknown or missing fields.
    """
    for path in paths:
        if not path.exists():
            raise CaseFileError(f"{path}: no such file or folder")
        for file in sorted(path.glob("*.toml")) if path.is_dir() else [path]:
            yield from _read_file(file)


def _read_file(file: Path) -> Iterator[Case]:
    try:
        data = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CaseFileError(f"{file}: {error}") from error
    rows = data.get("case")
    if not isinstance(rows, list):
        raise CaseFileError(f"{file}: no [[case]] tables")
    for row in rows:
        yield _read_case(file, row)


def _read_case(file: Path, row: Mapping[str, Any]) -> Case:
    name = row.get("id", "?")
    unknown = sorted(set(row) - _FIELDS - _IGNORED)
    if unknown or "id" not in row or "topic" not in row:
        raise CaseFileError(f"{file}: case {name}: unknown or missing fields {' '.join(unknown)}")
    if not {"expect", "error", "outcome", "lowers_to"} & set(row):
        raise CaseFileError(f"{file}: case {name} expects nothing")
    fields: dict[str, Any] = {k: tuple(v) if k in _TUPLES else v for k, v in row.items() if k in _FIELDS}
    return Case(file=str(file), has_host="host" in row, **fields)
