"""The result rows and the table that they are printed as."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import attrs


@attrs.frozen(slots=True, kw_only=True)
class Row:
    """One measurement. `value` and `target` are in `unit`; a ratio row has unit "x" and names its peer."""

    name: str
    value: float
    unit: str
    target: float
    peer: str = ""
    note: str = ""

    @property
    def met(self) -> bool:
        """Whether the value is within the target."""
        return self.value <= self.target

    def to_json(self) -> dict[str, Any]:
        """Return the row as JSON-ready data."""
        return {**attrs.asdict(self), "met": self.met}


Benchmark = Callable[[], Iterable[Row]]


def show(rows: Iterable[Row]) -> str:
    """Return the table as text."""
    head = ("benchmark", "measured", "target", "", "peer / note")
    lines = [head]
    for row in rows:
        note = " ".join(part for part in (row.peer and f"vs {row.peer}", row.note) if part)
        verdict = "met" if row.met else "MISSED"
        lines.append((row.name, f"{row.value:.2f} {row.unit}", f"<= {row.target:g} {row.unit}", verdict, note))
    widths = [max(len(line[i]) for line in lines) for i in range(5)]
    return "\n".join("  ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=True)).rstrip() for line in lines)
