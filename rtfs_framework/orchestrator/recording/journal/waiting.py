"""Which runs wait for nothing any more: their time has come, a word was sent, or nobody is at them.

In: a journal. Out: ids, the oldest first. What a run waits for stands in its row "waiting"; calls that wait for
a person stand in the file of approvals, and are asked about when their run is gone on with.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rtfs_framework.orchestrator.recording.journal.alive import hold, release
from rtfs_framework.orchestrator.recording.journal.fault import JournalError
from rtfs_framework.orchestrator.recording.journal.outside import unfinished
from rtfs_framework.orchestrator.recording.journal.query import has_log, parsed, reading
from rtfs_framework.orchestrator.recording.journal.redact import name_of
from rtfs_framework.orchestrator.recording.journal.sealing import SealError
from rtfs_framework.orchestrator.recording.journal.unended import Unended, unended

_WAITS = """
SELECT r.id AS of, l.what, l.entry, l.record, l.id, CASE l.what WHEN 'waiting' THEN l.body END AS body
FROM log l JOIN log r ON r.position = l.run
WHERE (l.what = 'waiting' OR (l.what = 'ended' AND NOT instr(l.body, '"stopped":true')))
AND r.id IN (SELECT value FROM json_each(:runs))
AND l.position > (SELECT min(position) FROM log WHERE what = 'run' AND id IN (SELECT value FROM json_each(:runs)))
ORDER BY l.position
"""


def waits_of(path: Path, runs: Sequence[str]) -> dict[str, list[Mapping[str, Any]]]:
    """Return what each of some runs waits for, by its id: the rows of its waits that have not ended.

    Raises:
        JournalError: The journal cannot be read.
    """
    found: dict[str, dict[str, Mapping[str, Any]]] = {}
    with reading(path) as connection:
        for row in connection.execute(_WAITS, {"runs": json.dumps(runs)}) if runs and has_log(connection) else ():
            waits = found.setdefault(row["of"], {})
            if row["body"] is None:
                waits.pop(f"{row['of']}:{name_of(row['entry'], row['record'], row['id'])}", None)
            else:
                body = parsed(row["body"])
                waits[str(body.get("call"))] = body
    return {run: list(waits.values()) for run, waits in found.items() if waits}


def due_runs(path: Path, home: Path, _environ: Mapping[str, str], now: float | None = None) -> Iterator[str]:
    """Yield the runs that can be gone on with now: nobody is at them, and at least one of their waits is over.

    Runs that were killed or interrupted while they waited for nothing are among them.

    Raises:
        SealError: What is kept of a run is encrypted with a key that is not here.
    """
    moment = time.time() if now is None else now
    for run in unfinished(path):
        if not hold(home, run):
            continue
        release(home, run)
        try:
            known = unended(path, run, home)
        except SealError:  # of all runs, most likely: whoever asks must hear it
            raise
        except JournalError:
            continue
        waits = open_waits(known)
        if not waits or any(_over(known, wait, moment) for wait in waits):
            yield run


def open_waits(known: Unended) -> list[Mapping[str, Any]]:
    """Return what a run waits for: the rows of its waits that have not ended."""
    run = known.facts.id
    ended = {f"{run}:{name_of(*id_)}" for id_, each in known.calls.items() if each.ended is not None}
    return [body for _, what, body, _ in known.notes if what == "waiting" and body.get("call") not in ended]


def _over(known: Unended, wait: Mapping[str, Any], now: float) -> bool:
    if wait.get("until") is not None and now >= float(wait["until"]):
        return True
    if wait.get("for") is None:
        return False
    taken = {body.get("took") for _, what, body, _ in known.notes if what == "control"}
    return any(
        what == "signalled" and body.get("name") == wait["for"] and position not in taken
        for position, what, body, _ in known.notes
    )
