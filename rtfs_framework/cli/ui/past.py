"""What happened: runs, their calls as a tree, one call's decision, and two runs side by side.

In: a journal's path and what was asked for. Out: plain data for templates, made of what `rtfs runs list|show|why
--json` print.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice, zip_longest
from pathlib import Path
from typing import Any

import attrs

from rtfs_framework.cli.commands.runs_list import runs_json
from rtfs_framework.cli.journals import home
from rtfs_framework.cli.ui.charts import began
from rtfs_framework.orchestrator.recording.journal.counting import count_runs
from rtfs_framework.orchestrator.recording.journal.fault import JournalError
from rtfs_framework.orchestrator.recording.journal.history import history_of
from rtfs_framework.orchestrator.recording.journal.query import ANY_RUN, Wanted, find_run, list_runs, show_run
from rtfs_framework.orchestrator.recording.journal.redact import name_of
from rtfs_framework.orchestrator.recording.journal.waiting import waits_of_rows
from rtfs_framework.orchestrator.recording.journal.why import why, words_of

RUNS = 50
"""Of one page."""
CALLS = 300
"""Of one page: a run may have millions."""
_MOST_DEEP = 8
_COMPARED = ("symbol", "target", "outcome", "args_digest", "reply_digest", "cache", "error_kind")
_MOST_COMPARED = 20_000
"""Calls of each run that are compared."""


def runs_page(path: Path, wanted: Wanted, before: str) -> dict[str, Any]:
    """Return one page of runs, newest first; `older` names where the next one begins.

    Raises:
        JournalError: It cannot be read.
    """
    if not path.exists():
        return {"journal": str(path), "runs": [], "total": 0, "older": "", "exists": False, "filtered": False}
    found = list_runs(path, RUNS + 1, wanted, before)
    shown = found[:RUNS]
    data = runs_json(path, shown, None, waits_of_rows(path, shown))
    older = shown[-1].id if len(found) > RUNS else ""
    return {**data, "total": count_runs(path), "older": older, "exists": True, "filtered": wanted != ANY_RUN}


@attrs.frozen(slots=True)
class Node:
    """A line of a run's tree: a call, or the place under which calls stand."""

    depth: int
    title: str
    call: Mapping[str, Any] | None = None
    name: str = ""
    """The call's id, as commands take it."""
    start: float | None = None
    """Seconds since the run began."""


def run_page(path: Path, named: str, after: int = 0) -> dict[str, Any]:
    """Return a run with the calls of one page, as a tree.

    Raises:
        JournalError: There is no such run, or the journal cannot be read.
    """
    row, entries = show_run(path, find_run(path, named))
    chosen = list(islice(entries, after, after + CALLS + 1))
    nodes = list(tree(chosen[:CALLS], row.started, row.ended))
    ends = [node.start + (node.call["micros"] or 0) / 1e6 for node in nodes if node.call and node.start is not None]
    span = max([1e-6, *ends, (row.ended or row.started) - row.started])
    more = after + CALLS if len(chosen) > CALLS else 0
    return {
        "run": attrs.asdict(row),
        "nodes": nodes,
        "span": span,
        "after": after,
        "more": more,
    }


def tree(entries: Iterable[Mapping[str, Any]], started: float, ended: float | None) -> Iterator[Node]:
    """Yield the lines of a run's tree: what was called, its records, the branches of fan-outs, calls, consultations."""
    open_: tuple[str, ...] = ()
    for entry in entries:
        path, _, asked = str(entry["path"]).partition("?")
        where = _places(entry, path)
        for depth, title in enumerate(where):
            if where[: depth + 1] != open_[: depth + 1]:
                yield Node(depth, title)
        open_ = where
        start = began(entry, started, ended)
        depth = min(_MOST_DEEP, len(where) + bool(asked))
        title = str(entry["symbol"] or entry["kind"])
        yield Node(depth, title, entry, name_of(entry["entry"], entry["record"], entry["path"]), start)


def _places(entry: Mapping[str, Any], path: str) -> tuple[str, ...]:
    """Return the titles under which a call stands."""
    first = "top-level forms" if not entry["entry"] else f"call {entry['entry']} of the program"
    record = () if entry["record"] is None else (f"record {entry['record'] + 1:,}",)
    *branches, _ = path.split(".")
    pairs = zip_longest(branches[::2], branches[1::2])
    titles = (f"fan-out {each}" + ("" if branch is None else f", branch {branch}") for each, branch in pairs)
    return (first, *record, *islice(titles, _MOST_DEEP - 2))


def call_page(path: Path, run: str, call: str) -> dict[str, Any]:
    """Return everything about one call.

    Raises:
        JournalError: There is no such call, or the journal cannot be read.
    """
    named = find_run(path, run)
    with history_of(path, home()) as history:
        found = None if history is None else why(history, named, call)
    if found is None:
        raise JournalError(path, f"run {named[:12]} has no call {call}", "the run's page names its calls")
    found["decisions"] = [
        {**each, "reads": [tuple(words_of(read)) for read in each["reads"]]} for each in found["decisions"]
    ]
    return {"found": found}


def diff_page(path: Path, first: str, second: str) -> dict[str, Any]:
    """Return two runs side by side: their heads, and the calls that differ.

    Raises:
        JournalError: There is no such run, or the journal cannot be read.
    """
    (left, mine), (right, others) = (show_run(path, find_run(path, each)) for each in (first, second))
    a, b = (_by_name(islice(each, _MOST_COMPARED)) for each in (mine, others))
    lines = list(differences(a, b))
    return {
        "left": attrs.asdict(left), "right": attrs.asdict(right), "lines": lines[:CALLS], "differ": len(lines),
        "same": len(a.keys() & b.keys()) - sum(each["what"] == "changed" for each in lines),
        "cut": max(len(a), len(b)) >= _MOST_COMPARED, "left_took": _sums(a), "right_took": _sums(b),
    }  # fmt: skip


def differences(
    left: Mapping[str, Mapping[str, Any]], right: Mapping[str, Mapping[str, Any]]
) -> Iterator[dict[str, Any]]:
    """Yield the calls that only one run has, and those of the same id that were not answered the same way."""
    for name in dict.fromkeys([*left, *right]):
        mine, other = left.get(name), right.get(name)
        if mine is None or other is None:
            yield {"name": name, "what": "removed" if other is None else "added", "left": mine, "right": other}
            continue
        changed = [field for field in _COMPARED if mine.get(field) != other.get(field)]
        if changed:
            yield {"name": name, "what": "changed", "left": mine, "right": other, "fields": changed}


def _by_name(entries: Iterable[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    return {name_of(each["entry"], each["record"], each["path"]): each for each in entries}


def _sums(calls: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    costs = [each["cost"] for each in calls.values()]
    return {
        "calls": len(calls),
        "micros": sum(each["micros"] or 0 for each in calls.values()),
        "cost": sum(each or 0.0 for each in costs),
        "unknown": sum(each is None for each in costs),
    }
