"""Labelled outcomes: questions, each with whether a weak and a strong model answered it correctly.

In: a CSV or JSON Lines file, plain or gzipped, with the columns `prompt`, `weak_model_correct` and
`strong_model_correct` (0 or 1, true or false, or a grade in between); others are left alone. Out: `Outcomes`, or a
`FileError` that names the line.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs

from rtfs_engine_router.errors import MALFORMED, MISSING, NO_COLUMN, TOO_FEW, UNREADABLE, FileError
from rtfs_framework.api import JsonError, load_json

PROMPT, WEAK, STRONG = "prompt", "weak_model_correct", "strong_model_correct"
COLUMNS = (PROMPT, WEAK, STRONG)
MOST_BYTES = 1 << 30
"""Of a file, unpacked: more is hardly meant, and would not fit the memory of many machines."""
_WORDS = {"true": 1.0, "false": 0.0}
_JSON_LINES = (".jsonl", ".ndjson")
_PIECE = 1 << 20
_LONGEST_FIELD = 1 << 24


@attrs.frozen(slots=True)
class Outcomes:
    """Questions and their outcomes, in the order of the file."""

    prompts: tuple[str, ...]
    weak: tuple[float, ...]
    strong: tuple[float, ...]
    digest: str = ""
    """SHA-256 (hex) of what the file holds."""

    @property
    def gains(self) -> list[float]:
        """What asking the strong model gains, by question: -1 to 1."""
        return [better - worse for better, worse in zip(self.strong, self.weak, strict=True)]


def read_outcomes(path: Path, least: int = 1) -> Outcomes:
    """Return the outcomes of a file that has at least so many.

    Raises:
        FileError: There is no such file, it cannot be read, or a line of it is malformed.
    """
    data = _bytes(path)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        way_out = "write the file in UTF-8"
        raise FileError(UNREADABLE, f"byte {error.start:,} is no UTF-8", way_out, f"{path}:{line}") from error
    name = path.name.removesuffix(".gz")
    lines = name.lower().endswith(_JSON_LINES)
    rows = list(_of_lines(text, path) if lines else _of_csv(text, path))
    if len(rows) < least:
        way_out = f"give at least {least:,} questions; some thousands make a good router"
        raise FileError(TOO_FEW, f"it has {len(rows):,} questions, which is too few", way_out, str(path))
    prompts, weak, strong = zip(*rows, strict=True) if rows else ((), (), ())
    return Outcomes(prompts, weak, strong, hashlib.sha256(data).hexdigest())


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
        with gzip.open(path, "rb") if packed else path.open("rb") as source:
            pieces: list[bytes] = []
            left = MOST_BYTES
            while piece := source.read(_PIECE):
                left -= len(piece)
                if left < 0:
                    way_out = "take a part of the questions: some thousands are enough"
                    raise FileError(UNREADABLE, f"it holds more than {MOST_BYTES:,} bytes", way_out, str(path))
                pieces.append(piece)
    except FileNotFoundError as error:
        raise FileError(MISSING, f"no such input file: {path}", "check its name and folder") from error
    except (OSError, EOFError, zlib.error) as error:
        way_out = "see whether it is a CSV or JSON Lines file, plain or gzipped, that you may read"
        raise FileError(UNREADABLE, f"it cannot be read: {error}", way_out, str(path)) from error
    return b"".join(pieces)


def _of_csv(text: str, path: Path) -> Iterator[tuple[str, float, float]]:
    before = csv.field_size_limit(_LONGEST_FIELD)
    try:
        rows = csv.DictReader(io.StringIO(text, newline=""), strict=True)
        _check_columns(rows.fieldnames or (), f"{path}:1", "the CSV")
        start = 2
        for row in rows:
            yield _row(row, f"{path}:{start}")
            start = rows.line_num + 1
    except csv.Error as error:
        way_out = 'quote texts with commas or line ends in "...", and double the quotes in them'
        raise FileError(MALFORMED, f"no valid CSV: {error}", way_out, str(path)) from error
    finally:
        csv.field_size_limit(before)


def _of_lines(text: str, path: Path) -> Iterator[tuple[str, float, float]]:
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        place = f"{path}:{number}"
        try:
            row = load_json(line)
        except JsonError as error:
            raise FileError(MALFORMED, f"no valid JSON: {error}", "write one JSON object a line", place) from error
        if not isinstance(row, dict):
            raise FileError(MALFORMED, "no JSON object", "write one JSON object a line", place)
        _check_columns(row, place, "the object")
        yield _row(row, place)


def _check_columns(names: Any, place: str, what: str) -> None:
    missing = [name for name in COLUMNS if name not in names]
    if missing:
        has = ", ".join(map(str, names)) or "none"
        way_out = f"it needs the columns {', '.join(COLUMNS)}"
        raise FileError(NO_COLUMN, f"{what} has no column '{missing[0]}'; its columns: {has}", way_out, place)


def _row(row: Mapping[Any, Any], place: str) -> tuple[str, float, float]:
    prompt = row[PROMPT]
    if not isinstance(prompt, str) or not prompt.strip():
        raise FileError(MALFORMED, f"'{PROMPT}' is no text", "leave the row out, or say what was asked", place)
    return prompt, _grade(row, WEAK, place), _grade(row, STRONG, place)


def _grade(row: Mapping[Any, Any], column: str, place: str) -> float:
    raw = row[column]
    found: float | None = None
    if isinstance(raw, bool | int | float):
        found = float(raw) if 0 <= raw <= 1 else None
    elif isinstance(raw, str):
        try:
            found = _WORDS.get(raw.strip().lower())
            found = float(raw) if found is None else found
        except ValueError:
            found = None
    if found is None or not 0.0 <= found <= 1.0:
        problem = f"'{column}' is {raw!r:.40}, and no grade"
        raise FileError(MALFORMED, problem, "write 1 for correct, 0 for wrong, or a grade within 0 and 1", place)
    return found
