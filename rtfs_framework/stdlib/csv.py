"""CSV text (RFC 4180) to vectors of vectors of strings, or with a header to maps. Blank lines do not count."""

from __future__ import annotations

from _csv import Error, reader  # what `csv` has, without its classes
from io import StringIO

from rtfs_framework.lang.annotations import Any
from rtfs_framework.lang.errors import generic_error, invalid_argument
from rtfs_framework.lang.literals import names_keyword
from rtfs_framework.lang.maps import EMPTY_MAP, Map
from rtfs_framework.lang.meter import LARGE, charge, meter, watched
from rtfs_framework.lang.printer import write
from rtfs_framework.lang.values import Keyword
from rtfs_framework.stdlib.check import mapping, string
from rtfs_framework.stdlib.table import builtin

_HEADER, _KEYS, _SEPARATOR = Keyword("header"), Keyword("keys"), Keyword("separator")
_OPTIONS = (_HEADER, _KEYS, _SEPARATOR)
_SHOWN = 40
"""Characters of a column's name that a message repeats."""


_CELL, _ENTRY = 64, 100
"""Bytes that a cell takes, and an entry of a map."""
MOST_IN_A_CELL = 131_072
"""Characters of one cell: the csv module's own limit unless a host moves it."""


@builtin(
    "parse-csv",
    ('(parse-csv "a,b\\n1,\\"x,y\\"")', '[["a" "b"] ["1" "x,y"]]'),
    ('(parse-csv "a,b\\n1,2" {:header true})', '[{"a" "1" "b" "2"}]'),
    ('(parse-csv "a;b\\n1;2" {:header true :keys :keyword :separator ";"})', '[{:a "1" :b "2"}]'),
    ('(parse-csv "\\"open")', "!Generic"),
    ('(parse-csv "first name\\nAda" {:header true :keys :keyword})', "!Generic"),
    doc="Read CSV text. Options: :header true makes maps (:keys :keyword with keyword keys), :separator a character.",
    types=(
        "[:fn [:string] [:vector [:vector :string]]]",
        "[:fn [:string table] [:vector [:union [:vector :string] [:map-of [:union :string :keyword] :string]]]]",
    ),
)
def parse_csv(text: Any, options: Any = EMPTY_MAP) -> tuple[Any, ...]:
    charge(len(string("parse-csv", text)))
    source, chosen = string("parse-csv", text), mapping("parse-csv", options)
    separator, name = _read_options(chosen)
    if len(source) >= LARGE:
        cells = source.count(separator) + source.count("\n")
        meter().reserve(_CELL * cells if name is None else (_CELL + _ENTRY) * cells)
    rows = _rows(source, separator)
    if name is None:
        return tuple(rows)
    if not rows:
        return ()
    keys = [name(cell) for cell in rows[0]]
    if len(set(keys)) < len(keys):
        raise generic_error("CSV parsing error: two columns have the same name")
    return tuple([_record(keys, row, number) for number, row in watched(enumerate(rows[1:], 2))])


def _as_keyword(cell: str) -> Keyword:
    if not names_keyword(cell):
        shown = write(cell if len(cell) <= _SHOWN else f"{cell[:_SHOWN]}...")
        raise generic_error(f"CSV parsing error: {shown} is not the name of a keyword; leave :keys out for text keys")
    return Keyword(cell)


_NAMINGS: dict[Keyword, Any] = {Keyword("string"): str, Keyword("keyword"): _as_keyword}


def _read_options(options: Map) -> tuple[str, Any]:
    """Return the separator and what makes a key of a column's name (None without a header)."""
    for key in options.keys():  # noqa: SIM118 - iterating a Map is no dict's
        if key not in _OPTIONS:
            raise invalid_argument("parse-csv takes the options :header, :keys and :separator")
    separator = options.get(_SEPARATOR, ",")
    if separator.__class__ is not str or len(separator) != 1 or separator in '"\r\n\0':
        raise invalid_argument("parse-csv: :separator is one character")
    naming = options.get(_KEYS, Keyword("string"))
    if naming not in _NAMINGS:
        raise invalid_argument("parse-csv: :keys is :string or :keyword")
    header = options.get(_HEADER, False)
    return separator, _NAMINGS[naming] if header is not None and header is not False else None


def _rows(text: str, separator: str) -> list[tuple[str, ...]]:
    if "\0" in text:  # Python 3.10 refuses it, later versions do not.
        raise generic_error("CSV parsing error: the text holds a NUL character")
    try:
        read = reader(StringIO(text, newline=""), delimiter=separator, strict=True)
        rows = [tuple(row) for row in watched(read) if row]
    except Error as error:
        raise generic_error(f"CSV parsing error: {error}") from None
    if len(text) > MOST_IN_A_CELL and any(max(map(len, row)) > MOST_IN_A_CELL for row in watched(rows)):
        # The module's own limit is the host's to move.
        raise generic_error(f"CSV parsing error: field larger than field limit ({MOST_IN_A_CELL})")
    return rows


def _record(keys: list[Any], row: tuple[str, ...], number: int) -> Map:
    """Return a row as a map; a row that ends early leaves its last columns out."""
    if len(row) > len(keys):
        raise generic_error(f"CSV parsing error: row {number} has {len(row)} cells under {len(keys)} columns")
    return Map.wrap(dict(zip(keys, row)))  # noqa: B905 - rows may end early
