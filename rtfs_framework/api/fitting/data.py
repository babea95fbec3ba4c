"""The data of a model file, read piece by piece; whatever is not as it must be is a `DamagedError`."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from rtfs_framework.api.fitting.errors import MISSING, NO_MODEL, FileError
from rtfs_framework.api.regular_file import read_regular
from rtfs_framework.lang.jsontext import JsonError
from rtfs_framework.lang.jsontext import load as load_json

MOST_BYTES = 256 << 20
LARGEST = 1e15
"""No number of a fitted model is near it; sums of numbers below it are finite."""
T = TypeVar("T")


class DamagedError(ValueError):
    """What is wrong with the data of a file."""


def model_data(file: Path | bytes, what: str, origin: str, make: Callable[[Any, str], T], place: str = "<model>") -> T:
    """Return what `make` reads of a model file's data and digest; `what` is its name, `origin` who writes it.

    Raises:
        FileError: There is no such file, or it is none: cut short, changed by hand, or of another version.
    """
    if isinstance(file, Path):
        place = str(file)
        try:
            file, _ = read_regular(file, MOST_BYTES)
        except FileNotFoundError as error:
            raise FileError(MISSING, f"no such file: {place}", f"name {what}; {origin}") from error
        except (OSError, ValueError) as error:
            raise FileError(NO_MODEL, f"it cannot be read: {error}", origin, place) from error
    try:
        return make(load_json(file.decode("utf-8")), hashlib.sha256(file).hexdigest())
    except (UnicodeDecodeError, JsonError, DamagedError) as error:
        problem = f"no {what.removeprefix('a ')}: {error}"
        raise FileError(NO_MODEL, problem, origin, place) from error


def read_table(data: Any, name: str, keys: Sequence[str]) -> dict[str, Any]:
    """Return a JSON object that has these keys. Raises DamagedError."""
    if not isinstance(data, dict):
        raise DamagedError(f"'{name}' is no JSON object")
    for key in keys:
        if key not in data:
            raise DamagedError(f"'{name}' has no '{key}'")
    return data


def read_list(data: Any, name: str) -> list[Any]:
    """Return a list. Raises DamagedError."""
    if not isinstance(data, list):
        raise DamagedError(f"'{name}' is no list")
    return data


def read_number(data: Any, name: str) -> float:
    """Return a number that a fitted model can hold: finite, and not absurd. Raises DamagedError."""
    if data.__class__ not in (int, float) or not -LARGEST <= data <= LARGEST:
        raise DamagedError(f"'{name}' is {data!r:.20}, and no number of a fitted model")
    return float(data)


def read_numbers(data: Any, name: str) -> tuple[float, ...]:
    """Return a list of such numbers. Raises DamagedError."""
    return tuple(read_number(each, name) for each in read_list(data, name))


def read_places(data: Any, name: str) -> tuple[int, ...]:
    """Return a list of whole numbers. Raises DamagedError."""
    found = read_list(data, name)
    if not all(each.__class__ is int for each in found):
        raise DamagedError(f"'{name}' are not whole numbers")
    return tuple(found)
