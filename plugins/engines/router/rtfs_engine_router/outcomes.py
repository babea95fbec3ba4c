"""Labelled outcomes: questions, each with whether a weak and a strong model answered it correctly.

In: a CSV or JSON Lines file, plain or gzipped, with the columns `prompt`, `weak_model_correct` and
`strong_model_correct` (0 or 1, true or false, or a grade in between); others are left alone. Out: `Outcomes`, or a
`FileError` that names the line.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs

from rtfs_framework.api.fitting import MALFORMED, TOO_FEW, FileError, read_rows

PROMPT, WEAK, STRONG = "prompt", "weak_model_correct", "strong_model_correct"
COLUMNS = (PROMPT, WEAK, STRONG)
_WORDS = {"true": 1.0, "false": 0.0}


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
    found = read_rows(path, COLUMNS)
    rows = [_row(row.said, row.place) for row in found.rows]
    if len(rows) < least:
        way_out = f"give at least {least:,} questions; some thousands make a good router"
        raise FileError(TOO_FEW, f"it has {len(rows):,} questions, which is too few", way_out, str(path))
    prompts, weak, strong = zip(*rows, strict=True) if rows else ((), (), ())
    return Outcomes(prompts, weak, strong, found.digest)


def _row(said: Mapping[Any, Any], place: str) -> tuple[str, float, float]:
    prompt = said[PROMPT]
    if not isinstance(prompt, str) or not prompt.strip():
        raise FileError(MALFORMED, f"'{PROMPT}' is no text", "leave the row out, or say what was asked", place)
    return prompt, _grade(said, WEAK, place), _grade(said, STRONG, place)


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
