"""The table of a stream: a row per record as it goes. The first rows are wrapped, later ones cut; none is kept.

The widths are settled by the first few rows, which are held back for a moment; after that every row is printed at
once, so that memory does not grow.
"""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import Any

import attrs

from rtfs_framework.cli.program_errors import as_diagnostic
from rtfs_framework.cli.shown import cells
from rtfs_framework.cli.shown.words import money, seconds, where
from rtfs_framework.cli.style import Part, bold
from rtfs_framework.lang.maps import Map
from rtfs_framework.lang.printer import display
from rtfs_framework.lang.values import Keyword
from rtfs_framework.orchestrator.recording.records import RecordResult

WRAPPED = 50
"""Rows that are shown whole, over several lines if need be."""

_HELD = 12
_HELD_SECONDS = 0.4
_GAP = "  "
_MESSAGE = 60
"""Cells that the messages of a longer table get where there is room."""

_MESSAGES = ("message", "text")
_LAST = ("where (why)", "time", "cost")


@attrs.define(slots=True)
class Row:
    """A record's line."""

    message: str
    values: dict[str, str]
    last: tuple[str, str, str]
    error: str = ""


@attrs.define(slots=True, eq=False)
class Rows:
    """Prints rows. `emit` takes a line."""

    emit: Callable[[Part], None]
    width: int
    keys: list[str] = attrs.field(factory=list)
    printed: int = 0
    _held: list[Row] = attrs.field(factory=list)
    _since: float = 0.0
    _widths: list[int] = attrs.field(factory=list)

    def add(self, message: str, result: RecordResult) -> None:
        """Take a record's result."""
        row = make_row(message, result)
        if self._widths:
            self._print(row)
            return
        if not self._held:
            self._since = monotonic()
        self._held.append(row)
        if len(self._held) >= _HELD or monotonic() - self._since > _HELD_SECONDS:
            self.flush(more=True)

    def flush(self, *, more: bool = False) -> None:
        """Print what is held back; `more` tells that other rows may follow, with longer messages."""
        if self._held:
            self._settle(_MESSAGE if more else 0)
        for row in self._held:
            self._print(row)
        self._held.clear()

    def _settle(self, message: int) -> None:
        self.keys = list(dict.fromkeys(key for row in self._held for key in row.values))
        heads = ["message", *self.keys, *_LAST]
        least = [""] * (len(heads) - 2) + ["999.9 ms", "$0.000000"]
        lines = [heads, least, *map(self._texts, self._held)]
        columns = [list(texts) for texts in zip(*lines, strict=True)]
        room = self.width - len(_GAP) * (len(heads) - 1)
        self._widths = cells.widths_for(columns, room)
        self._widths[0] = max(self._widths[0], min(message, self._widths[0] + room - sum(self._widths)))
        self.emit(bold(self._joined(heads)))
        self.emit(self._joined(["-" * width for width in self._widths]))

    def _texts(self, row: Row) -> list[str]:
        return [row.message, *(row.values.get(key, "") for key in self.keys), *row.last]

    def _print(self, row: Row) -> None:
        self.printed += 1
        texts = self._texts(row)
        if self.printed > WRAPPED:
            self.emit(self._joined(texts))
        else:
            wrapped = [cells.wrap(text, width) for text, width in zip(texts, self._widths, strict=True)]
            for number in range(max(map(len, wrapped))):
                self.emit(self._joined([lines[number] if number < len(lines) else "" for lines in wrapped]))
        new = [f"{key}={value}" for key, value in row.values.items() if key not in self.keys]
        for extra in filter(None, (row.error, " ".join(new))):
            self.emit(f"    {extra}")

    def _joined(self, texts: list[str]) -> str:
        return _GAP.join(cells.cut(text, width) for text, width in zip(texts, self._widths, strict=True)).rstrip()


def make_row(message: str, result: RecordResult) -> Row:
    """Return the row of a result."""
    error = ""
    if result.error is not None:
        found = as_diagnostic(result.error)
        error = cells.clean(f"error[{found.code}]: {found.message}")
    costs = [call.cost for call in result.calls]
    cost = money(sum(filter(None, costs)), None in costs)
    last = (cells.clean(where(result.calls)), seconds(result.seconds), cost)
    return Row(cells.clean(message), _values(result, message), last, error)


def _values(result: RecordResult, message: str) -> dict[str, str]:
    if result.error is not None:
        return {}
    if not isinstance(result.value, Map):
        return {"value": cells.clean(display(result.value))}
    named: dict[str, Any] = {_name(key): item for key, item in result.value.items()}
    return {
        name: cells.clean(display(item)) for name, item in named.items() if not (name in _MESSAGES and item == message)
    }


def _name(key: Any) -> str:
    return cells.clean(key.name if isinstance(key, Keyword) else display(key))
