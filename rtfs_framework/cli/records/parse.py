"""Lines -> records (maps with text keys, among them "text"). A bad record is an item of its own: `InputError`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rtfs_framework.cli.problems import MALFORMED, NO_KEY, Excerpt, InputError, problem_at
from rtfs_framework.cli.records.lines import Lines
from rtfs_framework.lang.diagnostics import did_you_mean
from rtfs_framework.lang.jsontext import JsonError, load
from rtfs_framework.lang.maps import Map
from rtfs_framework.lang.source import Span
from rtfs_framework.lang.types.jsonable import from_plain

KEY = "text"
"""The key under which a program finds the text of a record."""

Parsed = Iterator[Map | InputError]
SKIP = "correct the record, or leave bad ones out with --skip-bad"


def from_text(lines: Lines) -> Parsed:
    """Yield a record for every line that is not blank."""
    for line in careful(lines):
        if isinstance(line, InputError):
            yield line
        elif line.strip():
            yield Map.wrap({KEY: line.rstrip("\r\n")})


def from_jsonl(lines: Lines, column: str | None) -> Parsed:
    """Yield a record for every line of JSON."""
    for line in careful(lines):
        if isinstance(line, InputError):
            yield line
        elif line.strip():
            yield _json_record(line, lines, column)


def _json_record(line: str, lines: Lines, column: str | None) -> Map | InputError:
    here = Excerpt(lines.name, line, first=lines.number)
    try:
        data = load(line)
    except JsonError as error:
        at = _json_column(error, line)
        return problem_at(MALFORMED, f"no valid JSON{_words(error)}", here, Span(at, at + 1), SKIP)
    whole = Span(0, len(line.rstrip()))
    if not isinstance(data, dict):
        message = f"a record must be a JSON object, this is {_json_kind(data)}"
        return problem_at(MALFORMED, message, here, whole, SKIP)
    wanted = column or KEY
    if wanted not in data:
        message = f"the record has no key '{wanted}'; its keys: {', '.join(data) or 'none'}"
        return problem_at(NO_KEY, message, here, whole, which(wanted, list(data), column))
    made = Map.wrap({key_of(name, wanted): from_plain(item) for name, item in data.items()})
    if len(made) < len(data):
        return problem_at(NO_KEY, f"the record has two keys that become '{KEY} (column)'", here, whole, SKIP)
    return made


def key_of(name: str, wanted: str) -> str:
    """Return the key of a column: "text" for the wanted one, which may displace another of that name."""
    if name == wanted:
        return KEY
    return f"{KEY} (column)" if name == KEY else name


def careful(lines: Lines) -> Iterator[str | InputError]:
    """Yield lines; one that cannot be decoded is an item of its own, and the next ones follow."""
    while True:
        try:
            yield next(lines)
        except StopIteration:  # noqa: PERF203 - the way on after a bad line
            return
        except InputError as error:
            yield error
            if lines.lost:
                return


def which(wanted: str, names: list[str], column: str | None) -> str:
    """Return the way out where a record or header has no wanted column."""
    near = did_you_mean(wanted, names)
    if near is not None:
        return f"{near} as in --column {near.partition(chr(39))[2].rpartition(chr(39))[0]}"
    if column is not None:
        return "name one that there is: --column NAME"
    return f"say which one holds the text: --column {names[0] if len(names) == 1 else 'NAME'}"


def _json_column(error: JsonError, line: str) -> int:
    text = str(error).rpartition(" column ")[2]
    return min(int(text) - 1, max(0, len(line) - 1)) if text.isdigit() else 0


def _words(error: JsonError) -> str:
    words = str(error).partition(" at line ")[0]
    return "" if words == "not JSON" else f": {words}"


def _json_kind(data: Any) -> str:
    kinds = {list: "an array", str: "a string", bool: "a boolean", type(None): "null"}
    return kinds.get(type(data), "a number")
