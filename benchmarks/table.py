"""The rows of the system's measurements, and the one table that they and the programs are printed as."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import attrs

from benchmarks.measure import Cell, Comparison
from benchmarks.targets import MAPS, ON, Target, mean
from benchmarks.timing import Ratio


@attrs.frozen(slots=True, kw_only=True)
class Row:
    """One measurement of the system: how many times its yardstick, which was measured in the same run."""

    name: str
    ratio: Ratio
    yardstick: str
    target: float | None = None
    others: Mapping[str, Ratio] = {}
    """Other implementations held against the same yardstick, by the titles of their columns."""
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the ratio is within the target; None without one."""
        return None if self.target is None else self.ratio.value <= self.target

    def to_json(self) -> dict[str, Any]:
        """Return the row as JSON-ready data."""
        return {**attrs.asdict(self), "met": self.met}


Benchmark = Callable[[], Iterable[Row]]
Columns = Mapping[str, "str | None"]
"""The peers' names in order, each with its version, or None when it is not installed."""


def show(
    comparisons: Sequence[Comparison], rows: Sequence[Row], columns: Columns, verdicts: Sequence[Target] = ()
) -> str:
    """Return the table, the means and the verdicts as text."""
    shown = [name for name in columns if name not in MAPS]
    lines = [("benchmark", *shown, "target")]
    lines += [_program(comparison, shown, columns) for comparison in comparisons]
    if len(comparisons) > 1:
        means = (mean(comparisons, name) for name in shown)
        lines.append(("geometric mean", *("-" if m is None else f"{m:.2f}x" for m in means), ""))
    lines += [_system(row, shown) for row in rows]
    parts = [_aligned(lines), _notes(comparisons, rows, columns)]
    if verdicts:
        parts.append("\n".join(["Targets of the programs:", *map(str, verdicts)]))
    return "\n\n".join(part for part in parts if part)


def _program(comparison: Comparison, shown: Sequence[str], columns: Columns) -> tuple[str, ...]:
    program = comparison.program
    bounds = [f"{bound:g}" for bound in (program.target, program.target_metered) if bound is not None]
    target = f"<= {' / '.join(bounds)} x" if bounds else ""
    cells = comparison.cells
    texts = ("absent" if columns[name] is None else _cell(cells.get(name)) for name in shown)
    return (program.name, *texts, target)


def _cell(cell: Cell | None) -> str:
    if cell is None or cell.ratio is None:
        return "WRONG" if cell and cell.wrong else "-"
    return f"{'~' if cell.once else ''}{cell.ratio}"


def _system(row: Row, shown: Sequence[str]) -> tuple[str, ...]:
    ratios = {ON: row.ratio, **row.others}
    cells = (str(ratios[name]) if name in ratios else "" for name in shown)
    verdict = "" if row.target is None else f"<= {row.target:g} x {'met' if row.met else 'MISSED'}"
    return (row.name, *cells, verdict)


def _aligned(lines: Sequence[Sequence[str]]) -> str:
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    last = len(widths) - 1

    def aligned(line: Sequence[str]) -> str:
        cells = (
            cell.ljust(width) if place in {0, last} else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        return "  ".join(cells).rstrip()

    return "\n".join(aligned(line) for line in lines)


def _notes(comparisons: Sequence[Comparison], rows: Sequence[Row], columns: Columns) -> str:
    notes = []
    absent = [name for name, version in columns.items() if version is None]
    if absent:
        notes.append(f"absent: {', '.join(absent)} are not installed; `tox run -e bench` gets them")
    if any(cell.once for comparison in comparisons for cell in comparison.cells.values()):
        notes.append("~: too slow to be repeated; measured once")
    for comparison in comparisons:
        name = comparison.program.name
        notes += [f"{name}, {peer}: {cell.reason}" for peer, cell in comparison.cells.items() if cell.reason]
        notes += [
            f"{name}, {peer} used directly: {cell.ratio} of Python"
            for peer, cell in comparison.cells.items()
            if peer in MAPS and cell.ratio is not None
        ]
    for row in rows:
        times = f"times {row.yardstick}, give or take {row.ratio.spread:.2f}"
        notes.append(f"{row.name}: {times}{row.note and '; '}{row.note}")
    return "\n".join(notes)
