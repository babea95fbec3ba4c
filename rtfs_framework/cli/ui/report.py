"""One run as one HTML file: nothing is loaded from anywhere, and no script is in it.

In: a run of a journal. Out: the page, whose policy allows its own style alone. Texts are those that the journal keeps:
what was not kept, was removed or is encrypted is not in it.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from importlib.resources import files
from itertools import chain
from pathlib import Path
from typing import Any

import attrs
from markupsafe import Markup

from rtfs_framework.cli.ui import charts
from rtfs_framework.cli.ui.past import Node, tree
from rtfs_framework.cli.ui.shown import rendered
from rtfs_framework.orchestrator.recording.journal.query import find_run, show_run

MOST_CALLS = 1_000
"""Calls of the table; the charts and sums are of all."""


@attrs.frozen(slots=True)
class Report:
    """A report, and what a program wants to know of it."""

    html: str
    run: str
    calls: int
    shown: int
    sums: Mapping[str, Any]


def report(path: Path, named: str) -> Report:
    """Return the report of a run.

    Raises:
        JournalError: There is no such run, or the journal cannot be read.
    """
    row, entries = show_run(path, find_run(path, named))
    kept: list[dict[str, Any]] = []
    sums = charts.gathered(_keeping(entries, kept), row.started, row.ended)
    nodes: list[Node] = list(tree(kept, row.started, row.ended))
    targets = sorted(sums.targets.values(), key=lambda each: (-each.cost, -each.calls, each.target))
    style = _style()
    data = {
        "run": attrs.asdict(row), "nodes": nodes, "sums": sums, "targets": targets, "total": sums.total,
        "timeline": charts.timeline(sums), "cost": charts.bars([(each.target, each.cost) for each in targets]),
        "latency": charts.bars(list(chain.from_iterable(_latencies(each) for each in targets))),
        "cache": charts.bars(sorted(sums.cache.items())), "more": sums.calls - len(kept),
        "span": _span(nodes), "style": Markup(style),  # noqa: S704 - our own file
        "style_digest": base64.b64encode(hashlib.sha256(style.encode()).digest()).decode(),
    }  # fmt: skip
    told = {each.target: {"calls": each.calls, "failed": each.failed, "from_memory": each.served,
                          "cost": None if each.unknown else each.cost, "known_cost": each.cost,
                          "p50_micros": each.quantile(0.5), "p95_micros": each.quantile(0.95)}
            for each in targets}  # fmt: skip
    return Report(rendered("report.html", data), row.id, sums.calls, len(kept), told)


def _span(nodes: Iterable[Node]) -> float:
    """Return how many seconds lie between the beginning of a run and the last end of a call."""
    return max([1e-6, *(node.start + (node.call["micros"] or 0) / 1e6 for node in nodes if node.call and node.start)])


def _keeping(entries: Iterator[dict[str, Any]], kept: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for entry in entries:
        if len(kept) < MOST_CALLS:
            kept.append(entry)
        yield entry


def _latencies(found: charts.ByTarget) -> Iterator[tuple[str, float]]:
    yield f"{found.target}, median", found.quantile(0.5)
    yield f"{found.target}, p95", found.quantile(0.95)


def _style() -> str:
    static = files("rtfs_framework.cli.ui") / "static"
    return "".join((static / name).read_text(encoding="utf-8") for name in ("app.css", "charts.css"))
