"""Which runs wait for nothing any more: their time has come, a word was sent, or nobody is at them.

In: a journal. Out: ids, the oldest first. What a run waits for stands in its row "waiting".
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rtfs_framework.orchestrator.recording.journal.alive import hold, release
from rtfs_framework.orchestrator.recording.journal.listed import UNFINISHED, RunRow
from rtfs_framework.orchestrator.recording.journal.parsing import parsed
from rtfs_framework.orchestrator.recording.journal.query import has_log, list_runs, reading
from rtfs_framework.orchestrator.recording.journal.redact import name_of

_NAMES = "SELECT position, id FROM log WHERE what = 'run' AND id IN (SELECT value FROM json_each(?))"
_WAITS = """
SELECT run, what, entry, record, id, CASE what WHEN 'waiting' THEN body END FROM log
WHERE position > ? AND (what = 'waiting' OR (what = 'ended' AND NOT instr(body, '"stopped":true')))
AND run IN (SELECT value FROM json_each(?)) ORDER BY position
"""
_SENT = """
SELECT r.id AS of, l.what, l.position, l.body FROM log l JOIN log r ON r.position = l.run
WHERE l.what IN ('signalled', 'control') AND r.id IN (SELECT value FROM json_each(:runs)) ORDER BY l.position
"""
_OPEN = (UNFINISHED, "waiting")
_ALL = 2**31 - 1


def waits_of(path: Path, runs: Sequence[str]) -> dict[str, list[Mapping[str, Any]]]:
    """Return what each of some runs waits for, by its id: the rows of its waits that have not ended.

    Raises:
        JournalError: The journal cannot be read.
    """
    found: dict[str, dict[str, Mapping[str, Any]]] = {}
    if not runs:
        return {}
    with reading(path) as connection:
        if not has_log(connection):
            return {}
        connection.row_factory = None  # bare tuples: others are made anew for each row
        names: dict[int, str] = dict(connection.execute(_NAMES, (json.dumps(runs),)))
        rows = connection.execute(_WAITS, (min(names, default=0), json.dumps(list(names))))
        for run, what, entry, record, id_, text in rows:
            of = names[run]
            if what == "waiting":
                body = parsed(text)
                found.setdefault(of, {})[str(body.get("call"))] = body
            elif of in found:
                found[of].pop(f"{of}:{name_of(entry, record, id_)}", None)
    return {run: list(waits.values()) for run, waits in found.items() if waits}


def waits_of_rows(path: Path, rows: Sequence[RunRow]) -> dict[str, Sequence[Mapping[str, Any]]]:
    """Return what those of some runs wait for that were ended to wait: as their ends say, else as `waits_of` finds.

    Raises:
        JournalError: The journal cannot be read.
    """
    waiting = [row for row in rows if row.status == "waiting"]
    looked_up = waits_of(path, [row.id for row in waiting if row.waits is None])
    return {**{row.id: row.waits for row in waiting if row.waits}, **looked_up}


def due_runs(
    path: Path, home: Path, answered: Callable[[str], bool] = lambda _: False, now: float | None = None
) -> list[str]:
    """Return the runs that can be gone on with now, the oldest first: nobody is at them, and a wait of theirs is over.

    Those whose process was killed are among them. Those that somebody interrupted, those that were asked for by
    others, who have gone with their host, and those of a queue, which workers go on with, are not: whoever wants one
    names it.

    Args:
        path: The journal.
        home: The folder of its key.
        answered: Tells whether a person has answered an approval, by its id.
        now: Seconds since the epoch; the machine's time when None.

    Raises:
        JournalError: The journal cannot be read.
    """
    moment = time.time() if now is None else now
    rows = [row for row in reversed(list_runs(path, _ALL)) if row.status in _OPEN and not row.asked_by]
    killed = {row.id for row in rows if row.status == UNFINISHED}
    left = [row for row in rows if _is_left(home, row.id)]
    runs = [row.id for row in left]
    waits, words = waits_of_rows(path, left), words_of(path, runs)

    def is_due(run: str) -> bool:
        sent = words.get(run, set())
        return run in killed or run not in waits or any(_over(each, sent, answered, moment) for each in waits[run])

    return [run for run in runs if is_due(run)]


def _is_left(home: Path, run: str) -> bool:
    """Tell whether no process is at a run."""
    left = hold(home, run)
    if left:
        release(home, run)
    return left


def words_of(path: Path, runs: Sequence[str]) -> dict[str, set[str]]:
    """Return the names of the words that were sent to some runs and that they were not given.

    Raises:
        JournalError: The journal cannot be read.
    """
    found: dict[str, dict[int, str]] = {}
    with reading(path) as connection:
        for row in connection.execute(_SENT, {"runs": json.dumps(runs)}) if runs and has_log(connection) else ():
            body, words = parsed(row["body"]), found.setdefault(row["of"], {})
            if row["what"] == "signalled":
                words[int(row["position"])] = str(body.get("name"))
            else:
                words.pop(int(body.get("took") or 0), None)
    return {run: set(words.values()) for run, words in found.items()}


def _over(wait: Mapping[str, Any], words: set[str], answered: Callable[[str], bool], now: float) -> bool:
    if wait.get("until") is not None and now >= float(wait["until"]):
        return True
    if wait.get("look") is not None and now >= float(wait["look"]):
        return True
    if wait.get("approval"):
        return answered(str(wait["approval"]))
    return wait.get("for") in words
