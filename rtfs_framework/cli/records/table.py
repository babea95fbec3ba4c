"""CSV: a header, then a record for every row. A bad row is an item of its own: `InputError` with the row's place.

Blank lines are left out. A line `sep=;` before the header, as Excel writes it, says the delimiter. Trailing columns of
a spreadsheet that have no name are left out while their cells are empty. The same is refused on every Python.
"""

from __future__ import annotations

import csv
import re
from typing import Any

import attrs

from rtfs_framework.cli.problems import EMPTY, MALFORMED, NO_COLUMN, USAGE, Excerpt, InputError, problem, problem_at
from rtfs_framework.cli.records.lines import MOST, Lines
from rtfs_framework.cli.records.parse import KEY, SKIP, Parsed, key_of, which
from rtfs_framework.lang.maps import Map
from rtfs_framework.lang.source import Span

DELIMITERS = (",", ";", "\t", "|")
"""Those that are looked for where the header seems to have another."""

_NAMED = re.compile(r'\s*"?sep=([^"\r\n])"?\s*')
_SAVE = "save the file with line ends LF or CRLF, or put the cell in quotes"
_NUL = "is it UTF-16? name the encoding, such as --encoding utf-16-le, or leave such records out with --skip-bad"


def from_csv(lines: Lines, column: str | None, delimiter: str | None, usual: str = ",") -> Parsed:
    """Read the header, then yield a record for every row; `delimiter` is what the user says.

    Raises:
        InputError: There is no header, or it has no such column.
    """
    csv.field_size_limit(MOST)
    rows = _Rows(lines, delimiter or usual)
    first = rows.skip_blank()
    named = None if first is None else named_delimiter(first)
    if named is not None:
        rows.delimiter = delimiter or named
        first = rows.skip_blank(again=True)
    if first is None:
        raise problem(EMPTY, f"{lines.name} is empty", "a CSV starts with a header that names its columns")
    header: list[str] | InputError | None = []
    while header is not None and not isinstance(header, InputError) and not any(map(str.strip, header)):
        header = rows.read()
    if isinstance(header, InputError):
        raise header
    if header is None:
        raise problem(EMPTY, f"{lines.name} is empty", "a CSV starts with a header that names its columns")
    return _records(rows, _column_names([name.strip() for name in header], rows, column))


def named_delimiter(line: str) -> str | None:
    """Return the delimiter that a line such as `sep=;` says."""
    found = _NAMED.fullmatch(line)
    return None if found is None else found[1]


def cells_of(line: str, delimiter: str) -> list[str]:
    """Return the cells of a line, none when it is no whole row."""
    try:
        return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter), [])]
    except csv.Error:
        return []


@attrs.define(slots=True, eq=False)
class _Rows:
    """Reads rows, and knows the line on which the last one began."""

    lines: Lines
    delimiter: str
    first: int = attrs.field(default=0, init=False)
    text: str = attrs.field(default="", init=False)
    """The first line of the row that was read last."""
    _pushed: str | None = attrs.field(default=None, init=False)
    _reader: Any = attrs.field(default=None, init=False)

    def __iter__(self) -> _Rows:
        return self

    def __next__(self) -> str:
        """Return the next line, for Python's reader; `first` is 0 where a row begins."""
        line, self._pushed = self._pushed, None
        if line is None:
            line = next(self.lines)
        if not self.first:
            self.first, self.text = self.lines.number, line
        at = line.find("\0")
        if at >= 0:
            here = Excerpt(self.lines.name, line, first=self.lines.number)
            raise problem_at(MALFORMED, "a cell holds the character NUL", here, Span(at, at + 1), _NUL)
        return line

    def skip_blank(self, *, again: bool = False) -> str | None:
        """Return the first line that is not blank without reading it; `again`: the one after that."""
        line = next(self.lines, None) if again or self._pushed is None else self._pushed
        while line is not None and not line.strip():
            line = next(self.lines, None)
        self._pushed = line
        return line

    def read(self) -> list[str] | InputError | None:
        """Return the cells of the next row, None at the end."""
        if self._reader is None:
            self._reader = csv.reader(self, strict=True, delimiter=self.delimiter)
        self.first, self.text = 0, ""
        try:
            found: list[str] | None = next(self._reader, None)
        except InputError as error:
            return error
        except csv.Error as error:
            return self._malformed(str(error))
        return found

    def refused(self, message: str, way_out: str = SKIP, at: Span | None = None, **more: Any) -> InputError:
        """Return what is wrong with the row that was read last."""
        code = more.pop("code", MALFORMED)
        here = Excerpt(self.lines.name, self.text, first=self.first)
        return problem_at(code, message, here, at or Span(0, len(self.text.rstrip())), way_out, **more)

    def _malformed(self, words: str) -> InputError:
        if words.startswith("new-line character"):
            at = re.search(r"\r(?!\n)", self.text)
            span = None if at is None else Span(at.start(), at.end())
            return self.refused("no valid CSV: a line end (CR) in a cell without quotes", _SAVE, span)
        if words.startswith("field larger"):
            words = f"a cell is longer than {MOST // 1024 // 1024} MiB; is its quote never closed?"
        elif words.startswith("unexpected end"):
            words = "a quote is never closed"
        over = f" (the row goes on to line {self.lines.number})" if self.lines.number > self.first else ""
        return self.refused(f"no valid CSV: {words}{over}")


def _column_names(header: list[str], rows: _Rows, column: str | None) -> list[str]:
    """Return the keys of the columns, the wanted one called "text"."""
    wanted = column or KEY
    if wanted not in header:
        message = f"the CSV has no column '{wanted}'; its columns: {', '.join(header)}"
        way_out = _other_delimiter(rows, wanted, len(header)) or which(wanted, header, column)
        raise rows.refused(message, way_out, code=NO_COLUMN, exit_code=USAGE)
    names = [key_of(name, wanted) for name in header]
    twice = sorted({name for name in names if name and names.count(name) > 1})
    if twice:
        message = f"the CSV has several columns '{twice[0] if twice[0] != KEY else wanted}'"
        raise rows.refused(message, "give every column a name of its own", code=NO_COLUMN)
    return names


def _other_delimiter(rows: _Rows, wanted: str, count: int) -> str | None:
    """Return the advice to name the delimiter, where the header has more columns with another."""
    found = {each: cells_of(rows.text.rstrip("\r\n"), each) for each in DELIMITERS if each != rows.delimiter}
    likely = [each for each, cells in found.items() if wanted in cells] or [
        each for each, cells in found.items() if count == 1 and len(cells) > 1 and all(cells)
    ]
    if not likely:
        return None
    shown = "tab" if likely[0] == "\t" else f"'{likely[0]}'"
    return f"its columns are separated otherwise: say --delimiter {shown}"


def _records(rows: _Rows, names: list[str]) -> Parsed:
    unnamed = [place for place, name in enumerate(names) if not name] if names.count("") > 1 else []
    while True:
        row = rows.read()
        if row is None:
            return
        if isinstance(row, InputError):
            yield row
            if rows.lines.lost:
                return
        elif len(row) == len(names):
            if not unnamed:
                yield Map.wrap(dict(zip(names, row, strict=True)))
            elif any(row[place].strip() for place in unnamed):
                yield rows.refused("the row has a cell in a column without a name", f"name the column, or {SKIP}")
            else:
                yield Map.wrap({name: cell for name, cell in zip(names, row, strict=True) if name})
        elif any(map(str.strip, row)):
            yield rows.refused(f"the row has {len(row)} cells, the header {len(names)}")
