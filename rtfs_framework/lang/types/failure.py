"""Why a value does not fit: a path that grows outwards and the message of LANGUAGE.md 12.5."""

from __future__ import annotations

from rtfs_framework.lang import records
from rtfs_framework.lang.annotations import Any
from rtfs_framework.lang.maps import Map, Set
from rtfs_framework.lang.printer import write
from rtfs_framework.lang.values import Keyword, Symbol, type_name
from rtfs_framework.lang.vectors import GrownVector, List

_SHOWN, _ITEMS, _BITS = 60, 16, 256
"""Values are cut to so many characters, items and bits in messages."""

_SCALARS = frozenset({type(None), bool, int, float, str, Keyword, Symbol})


@records.frozen()
class Failure:
    """A misfit at `path` (empty at the top): "Type mismatch" and what was expected and found."""

    head: str
    tail: str = ""
    path: str = ""

    @property
    def is_of_whole(self) -> bool:
        """Tell whether it is the whole value that is of another type, and no part of it."""
        return not self.path and self.head == "Type mismatch"

    def under(self, step: str) -> Failure:
        """Return the failure as seen from one level further out."""
        return Failure(self.head, self.tail, step + self.path)

    def __str__(self) -> str:
        head = f"{self.head} at {self.path}" if self.path else self.head
        return f"{head}: {self.tail}" if self.tail else head


TOO_DEEP = Failure("Type mismatch", "the value is nested too deeply to be checked")


def mismatch(expected: str, got: str) -> Failure:
    """`Type mismatch at PATH: expected T, got NAME`."""
    return Failure("Type mismatch", f"expected {expected}, got {got}")


def missing(key: Any) -> Failure:
    """`Missing required key :k at PATH`."""
    return Failure(f"Missing required key {write(key)}")


def wrong_shape(expected: str, got: str) -> Failure:
    """`Shape violation at PATH: expected N items, got M`."""
    return Failure("Shape violation", f"expected {expected}, got {got}")


def predicate_failed(predicate: str, value: Any) -> Failure:
    """`Predicate violation at PATH: PRED failed for value V`."""
    return Failure("Predicate violation", f"{predicate} failed for value {brief(value)}")


def brief(value: Any) -> str:
    """Return the printed value when it is short, else what it is: "a vector of 9 items"."""
    if value.__class__ in (Map, Set, tuple, GrownVector, List):
        parts = [part for entry in value.items() for part in entry] if value.__class__ is Map else value
        if len(value) > _ITEMS or any(part.__class__ not in _SCALARS for part in parts):
            return f"a {type_name(value)} of {count_of(len(value))}"
    if value.__class__ is int and value.bit_length() > _BITS:
        return f"an integer of {value.bit_length()} bits"
    text = write(value[: _SHOWN + 1] if value.__class__ is str else value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def named_brief(value: Any) -> str:
    """Return "keyword :a", or "a vector of 2 items"."""
    shown = brief(value)
    return f"{type_name(value)} {shown}" if value.__class__ in _SCALARS else shown


def step_of(key: Any) -> str:
    """Return the path step of a map key: `.a` for `:a`, `["a"]` for anything else."""
    return f".{key.name}" if key.__class__ is Keyword else f"[{brief(key)}]"


def count_of(n: int) -> str:
    """Return "1 item" or "n items"."""
    return "1 item" if n == 1 else f"{n} items"
