"""The JSON texts of rows, read: one, or many at once. One that was tampered with says nothing (`verify` finds it)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

_decode = json.JSONDecoder().raw_decode
"""Rows have no spaces around them, which `json.loads` looks for."""


def parsed(text: Any) -> dict[str, Any]:
    """Return what a row says."""
    try:
        found, end = _decode(text)
    except (TypeError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) and end == len(text) else {}


def parsed_all(texts: Sequence[Any]) -> list[dict[str, Any]]:
    """Return what each of some rows says: read as one text, which takes two thirds of the time."""
    try:
        found, _ = _decode(f"[{','.join(texts)}]")
    except (TypeError, ValueError, RecursionError):
        found = []
    if len(found) == len(texts) and all(each.__class__ is dict for each in found):
        return found  # type: ignore[no-any-return]
    return [parsed(text) for text in texts]
