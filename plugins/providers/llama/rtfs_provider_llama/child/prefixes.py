"""Which sequence of the context holds whose prefix: one per function, the one that was not used for longest goes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

import attrs


@attrs.define(slots=True)
class Held:
    """A sequence, and the prefix that it surely holds."""

    sequence: int
    tokens: tuple[int, ...] = ()


class Prefixes:
    """Gives each function a sequence of its own while there are any."""

    def __init__(self, sequences: int) -> None:
        self._free = list(range(sequences - 1, -1, -1))
        self._held: OrderedDict[str, Held] = OrderedDict()

    def claim(self, key: str, prefix: Sequence[int]) -> tuple[Held, bool]:
        """Return the sequence of a function, and whether it holds this prefix already."""
        held = self._held.pop(key, None)
        if held is None:
            held = Held(self._free.pop() if self._free else self._held.popitem(last=False)[1].sequence)
        self._held[key] = held
        warm = bool(held.tokens) and held.tokens == tuple(prefix)
        if not warm:
            held.tokens = ()
        return held, warm

    def forget(self, key: str) -> None:
        """Say that a function's sequence holds nothing that is known."""
        if key in self._held:
            self._held[key].tokens = ()
