"""CSV as this framework reads it, wherever it reads some: one dialect, the same mistakes refused on every Python.

In: lines that are decoded, each with its line end. Out: a header, then the cells of each row. Blank lines are left out.
A line `sep=;` before the header, as Excel writes it, says the delimiter. Trailing columns of a spreadsheet that have no
name are left out while their cells are empty. (RFC 4180, read strictly: nothing is guessed about a misplaced quote.)
"""

from __future__ import annotations

import csv
import re
from typing import Any, Protocol

import attrs

MOST_LINE = 16 * 1024 * 1024
"""Characters of a cell, bytes of a line."""

_NAMED = re.compile(r'\s*"?sep=([^"\r\n])"?\s*')


class CsvError(ValueError):
    """A row that is no CSV, or does not fit the header; the text says what is wrong."""

    def __init__(self, words: str, kind: str, line: str, number: int, at: tuple[int, int] | None = None) -> None:
        super().__init__(words)
        self.kind = kind
        """"nul", "cr", "unnamed", "header" (a name twice) or "row"."""
        self.line = line
        """The first line of the row; of "nul" the line that holds it."""
        self.number = number
        """Of that line."""
        self.at = at
        """Columns of it, from 0; None for all of it."""


class NumberedLines(Protocol):
    """Lines, and the number of the one that was read last."""

    number: int

    def __next__(self) -> str:
        """Return the next line with its end."""
        ...


@attrs.define(slots=True, eq=False)
class CsvRows:
    """Reads rows, no line further than the row that was asked for, and knows the line on which the last one began."""

    lines: NumberedLines
    delimiter: str
    first: int = attrs.field(default=0, init=False)
    text: str = attrs.field(default="", init=False)
    """The first line of the row that was read last."""
    _pushed: str | None = attrs.field(default=None, init=False)
    _reader: Any = attrs.field(default=None, init=False)

    def __iter__(self) -> CsvRows:
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
            raise CsvError("a cell holds the character NUL", "nul", line, self.lines.number, (at, at + 1))
        return line

    def header(self, delimiter: str | None = None) -> list[str] | None:
        """Read up to the header and return its names, None where there is none; `delimiter` is what the user says.

        Raises:
            CsvError: It is no CSV.
        """
        first = self._skip_blank()
        named = None if first is None else named_delimiter(first)
        if named is not None:
            self.delimiter = delimiter or named
            first = self._skip_blank(again=True)
        header: list[str] | None = None if first is None else []
        while header is not None and not any(map(str.strip, header)):
            header = self.read()
        return None if header is None else [name.strip() for name in header]

    def _skip_blank(self, *, again: bool = False) -> str | None:
        """Return the first line that is not blank without reading it; `again`: the one after that."""
        line = next(self.lines, None) if again or self._pushed is None else self._pushed
        while line is not None and not line.strip():
            line = next(self.lines, None)
        self._pushed = line
        found: str | None = line
        return found

    def read(self) -> list[str] | None:
        """Return the cells of the next row, None at the end.

        Raises:
            CsvError: It is no CSV; the rows after it can be read.
        """
        if self._reader is None:
            csv.field_size_limit(MOST_LINE)
            self._reader = csv.reader(self, strict=True, delimiter=self.delimiter)
        self.first, self.text = 0, ""
        try:
            found: list[str] | None = next(self._reader, None)
        except csv.Error as error:
            raise self._malformed(str(error)) from None
        return found

    def record(self, names: list[str], row: list[str]) -> dict[str, str] | None:
        """Return a row under the names of its columns, None for a blank one.

        Raises:
            CsvError: It has more or fewer cells, or one in a column without a name.
        """
        if len(row) != len(names):
            if not any(map(str.strip, row)):
                return None
            raise self.wrong(f"the row has {len(row)} cells, the header {len(names)}")
        made = dict(zip(names, row, strict=True))
        if len(made) == len(names):
            return made
        if any(cell.strip() for name, cell in zip(names, row, strict=True) if not name):
            raise self.wrong("the row has a cell in a column without a name", "unnamed")
        return {name: cell for name, cell in made.items() if name}

    def wrong(self, words: str, kind: str = "row", at: tuple[int, int] | None = None) -> CsvError:
        """Return what is wrong with the row that was read last."""
        return CsvError(words, kind, self.text, self.first, at)

    def _malformed(self, words: str) -> CsvError:
        if words.startswith("new-line character"):
            at = re.search(r"\r(?!\n)", self.text)
            span = None if at is None else at.span()
            return self.wrong("no valid CSV: a line end (CR) in a cell without quotes", "cr", span)
        if words.startswith("field larger"):
            words = f"a cell is longer than {MOST_LINE // 1024 // 1024} MiB; is its quote never closed?"
        elif words.startswith("unexpected end"):
            words = "a quote is never closed"
        over = f" (the row goes on to line {self.lines.number})" if self.lines.number > self.first else ""
        return self.wrong(f"no valid CSV: {words}{over}")


def named_delimiter(line: str) -> str | None:
    """Return the delimiter that a line such as `sep=;` says."""
    found = _NAMED.fullmatch(line)
    return None if found is None else found[1]


def twice_named(names: list[str]) -> str | None:
    """Return a name that several columns have, None where there is none."""
    return min((name for name in names if name and names.count(name) > 1), default=None)
