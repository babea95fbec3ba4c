"""Numbers of arguments: what a function takes, as (least, most) for each arity; most is None for any number."""

from __future__ import annotations

from rtfs_framework.lang.annotations import Iterable

Shape = tuple[int, "int | None"]


def fits(shape: Shape, count: int) -> bool:
    """Tell whether so many arguments are taken."""
    low, high = shape
    return count >= low and (high is None or count <= high)


def arity_text(*shapes: Shape) -> str:
    """Return "N", "at least N" or "between N and M" as arity errors say it; of several arities all, as in "1 or 2"."""
    ends = [low for low, high in shapes if high is None]
    told = [_text(*shape) for shape in sorted(shapes, key=_order) if not (ends and shape == (ends[0], ends[0]))]
    return told[0] if len(told) == 1 else f"{', '.join(told[:-1])} or {told[-1]}"


def _order(shape: Shape) -> tuple[int, bool]:
    return shape[0], shape[1] is None


def _text(low: int, high: int | None) -> str:
    if high is None:
        return f"at least {low}"
    return str(low) if low == high else f"between {low} and {high}"


def chosen(shapes: Iterable[Shape], count: int) -> int | None:
    """Return the place of the arity that a call with so many arguments means: the one with & comes last."""
    fitting = [(shape[1] is None, i) for i, shape in enumerate(shapes) if fits(shape, count)]
    return min(fitting)[1] if fitting else None
