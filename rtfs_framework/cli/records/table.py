"""CSV: a header, then a record for every row. A bad row is an item of its own: `InputError` with the row's place.

The dialect is that of `api/csv_rows.py`; here are the column that holds the text, and ways out of the command line.
"""

from __future__ import annotations

import csv

from rtfs_framework.api.csv_rows import CsvError, CsvRows, named_delimiter, twice_named
from rtfs_framework.cli.problems import EMPTY, MALFORMED, NO_COLUMN, USAGE, Excerpt, InputError, problem, problem_at
from rtfs_framework.cli.records.lines import Lines
from rtfs_framework.cli.records.parse import KEY, SKIP, Parsed, key_of, which
from rtfs_framework.lang.maps import Map
from rtfs_framework.lang.source import Span

__all__ = ["DELIMITERS", "cells_of", "from_csv", "named_delimiter"]

DELIMITERS = (",", ";", "\t", "|")
"""Those that are looked for where the header seems to have another."""

_WAYS_OUT = {
    "nul": "is it UTF-16? name the encoding, such as --encoding utf-16-le, or leave such records out with --skip-bad",
    "cr": "save the file with line ends LF or CRLF, or put the cell in quotes",
    "unnamed": f"name the column, or {SKIP}",
}


def from_csv(lines: Lines, column: str | None, delimiter: str | None, usual: str = ",") -> Parsed:
    """Read the header, then yield a record for every row; `delimiter` is what the user says.

    Raises:
        InputError: There is no header, or it has no such column.
    """
    rows = CsvRows(lines, delimiter or usual)
    try:
        header = rows.header(delimiter)
    except CsvError as error:
        raise _told(lines, error) from None
    if header is None:
        raise problem(EMPTY, f"{lines.name} is empty", "a CSV starts with a header that names its columns")
    return _records(rows, lines, _column_names(header, rows, lines, column))


def cells_of(line: str, delimiter: str) -> list[str]:
    """Return the cells of a line, none when it is no whole row."""
    try:
        return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter), [])]
    except csv.Error:
        return []


def _told(lines: Lines, error: CsvError) -> InputError:
    here = Excerpt(lines.name, error.line, first=error.number)
    at = Span(0, len(error.line.rstrip())) if error.at is None else Span(*error.at)
    return problem_at(MALFORMED, str(error), here, at, _WAYS_OUT.get(error.kind, SKIP))


def _column_names(header: list[str], rows: CsvRows, lines: Lines, column: str | None) -> list[str]:
    """Return the keys of the columns, the wanted one called "text"."""
    wanted = column or KEY
    here, whole = Excerpt(lines.name, rows.text, first=rows.first), Span(0, len(rows.text.rstrip()))
    if wanted not in header:
        message = f"the CSV has no column '{wanted}'; its columns: {', '.join(header)}"
        way_out = _other_delimiter(rows, wanted, len(header)) or which(wanted, header, column)
        raise problem_at(NO_COLUMN, message, here, whole, way_out, exit_code=USAGE)
    names = [key_of(name, wanted) for name in header]
    twice = twice_named(names)
    if twice is not None:
        message = f"the CSV has several columns '{twice if twice != KEY else wanted}'"
        raise problem_at(NO_COLUMN, message, here, whole, "give every column a name of its own")
    return names


def _other_delimiter(rows: CsvRows, wanted: str, count: int) -> str | None:
    """Return the advice to name the delimiter, where the header has more columns with another."""
    found = {each: cells_of(rows.text.rstrip("\r\n"), each) for each in DELIMITERS if each != rows.delimiter}
    likely = [each for each, cells in found.items() if wanted in cells] or [
        each for each, cells in found.items() if count == 1 and len(cells) > 1 and all(cells)
    ]
    if not likely:
        return None
    shown = "tab" if likely[0] == "\t" else f"'{likely[0]}'"
    return f"its columns are separated otherwise: say --delimiter {shown}"


def _records(rows: CsvRows, lines: Lines, names: list[str]) -> Parsed:
    while True:
        try:
            row = rows.read()
            record = None if row is None else rows.record(names, row)
        except (InputError, CsvError) as error:
            yield _told(lines, error) if isinstance(error, CsvError) else error
            if lines.lost:
                return
            continue
        if row is None:
            return
        if record is not None:
            yield Map.wrap(record)
