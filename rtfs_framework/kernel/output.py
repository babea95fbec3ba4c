"""What leaves a run is bounded: its result and the arguments of its host calls, by their length when written."""

from __future__ import annotations

from rtfs_framework.lang.annotations import Any
from rtfs_framework.lang.errors import LimitError
from rtfs_framework.lang.printer import write

_SHORT = 1_000
"""Texts of fewer characters are never too long: no host bounds them (`Limits.output`)."""

ATOMS: frozenset[Any] = frozenset({type(None), bool, int, float})
"""Types whose values are never too long."""


def bounded_output(value: Any, most: int | None) -> Any:
    """Return a value that may leave the run.

    Raises:
        LimitError: it would be longer than the host allows.
    """
    kind = value.__class__
    if most is None or kind in ATOMS or (kind is str and len(value) < _SHORT):
        return value
    if kind is str:
        too_long = len(value) > most
    else:
        try:
            write(value, most)
            too_long = False
        except LimitError as error:
            if error.dimension != "items":
                raise
            too_long = True
    if too_long:
        raise LimitError("output", most, f"a value that leaves the run has more than {most} characters")
    return value
