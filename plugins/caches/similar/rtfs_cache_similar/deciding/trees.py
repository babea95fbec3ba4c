"""Boosted trees as plain numbers: what they add to the log-odds that two requests get the same answer.

Source: Friedman, "Greedy function approximation: a gradient boosting machine" (2001). They are fitted elsewhere
(`fitting/boosting.py`); here they are only walked, all at once. A node is a row of five tables: the feature that it
looks at, the number up to which one goes left, both children, and what a leaf adds. A leaf is its own child.
"""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
import numpy.typing as npt

from rtfs_cache_similar.deciding.features import NAMES, Vector
from rtfs_framework.api.fitting import DamagedError, read_numbers, read_table

Places = npt.NDArray[np.int64]
_MOST_NODES = 100_000
_PARTS = ("roots", "depth", "feature", "most", "left", "right", "value")


@attrs.frozen(slots=True, eq=False)
class Trees:
    """All trees, one after the other."""

    roots: Places
    """Where each begins."""
    depth: int
    """Steps after which every walk is at a leaf."""
    feature: Places
    most: Vector
    left: Places
    right: Places
    value: Vector

    def added(self, rows: Vector) -> Vector:
        """Return what they add to the log-odds, by row. `rows` is (pairs, features)."""
        at = np.broadcast_to(self.roots, (len(rows), len(self.roots)))
        pairs = np.arange(len(rows))[:, None]
        for _ in range(self.depth):
            at = np.where(rows[pairs, self.feature[at]] <= self.most[at], self.left[at], self.right[at])
        found: Vector = self.value[at].sum(axis=1)
        return found

    def as_data(self) -> dict[str, Any]:
        """Return them as JSON can hold them."""
        parts = {name: getattr(self, name) for name in _PARTS}
        return {name: part if isinstance(part, int) else part.tolist() for name, part in parts.items()}


def read_trees(data: Any, name: str) -> Trees:
    """Return trees that `as_data` made.

    Raises:
        DamagedError: They are none, or a walk would leave them.
    """
    table = read_table(data, name, _PARTS)
    found = {each: np.asarray(read_numbers(table[each], f"{name}.{each}")) for each in _PARTS if each != "depth"}
    count, depth = len(found["value"]), table["depth"]
    same = all(len(found[each]) == count for each in ("feature", "most", "left", "right"))
    if not same or not 0 < count <= _MOST_NODES or not isinstance(depth, int) or not 0 <= depth <= len(NAMES):
        raise DamagedError(f"'{name}' has tables of a wrong length")
    places = {each: _places(found[each], count) for each in ("roots", "left", "right")}
    feature = _places(found["feature"], len(NAMES))
    if feature is None or any(each is None for each in places.values()):
        raise DamagedError(f"'{name}' leads to a node or a feature that is not there")
    return Trees(
        roots=places["roots"],
        depth=depth,
        feature=feature,
        most=found["most"],
        left=places["left"],
        right=places["right"],
        value=found["value"],
    )


def _places(numbers: Vector, count: int) -> Any:
    """Return numbers as places below `count`, None where one is none."""
    whole = numbers.astype(np.int64)
    return whole if bool(((whole == numbers) & (whole >= 0) & (whole < count)).all()) else None
