"""What reaches a run from outside, through the journal that both have: words that it waits for, and whether to stop.

`rtfs runs signal` writes a row of the run, and whoever waits in it looks for rows that came since. Nothing here waits.
"""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from rtfs_framework.orchestrator.recording.journal.fault import JournalError
from rtfs_framework.orchestrator.recording.journal.file import keys_of, open_for_reading, translated
from rtfs_framework.orchestrator.recording.journal.kept import STATE
from rtfs_framework.orchestrator.recording.journal.parsing import parsed
from rtfs_framework.orchestrator.recording.journal.query import has_log, reading, show_run
from rtfs_framework.orchestrator.recording.journal.rows import RunFacts
from rtfs_framework.orchestrator.recording.journal.run import Chain
from rtfs_framework.orchestrator.recording.journal.unended import unended
from rtfs_framework.orchestrator.recording.journal.writer import Journal
from rtfs_framework.orchestrator.recording.purse import RunStopped

_WORDS = f"""
SELECT l.position, l.body, plain(l.position, t.name, t.body) AS text FROM log l
LEFT JOIN texts t ON t.position = l.position AND t.name = '{STATE}'
WHERE l.what = 'signalled' AND l.run = ? AND l.position > ? ORDER BY l.position
"""  # noqa: S608 - our own names
_ASKED = """
SELECT body FROM log WHERE what = 'control' AND run = ? AND position > ? AND instr(body, '"ask":')
ORDER BY position DESC LIMIT 1
"""
_RUN = "SELECT position FROM log WHERE what = 'run' AND id = ? ORDER BY position DESC LIMIT 1"
ENDED = ("complete", "failed", "cancelled")


class Word(NamedTuple):
    """A word from outside."""

    position: int
    name: str
    text: str | None
    """What comes with it, as the text of a value; None where that is not there any more."""


def words_for(path: Path, run: int, after: int = 0) -> list[Word]:
    """Return the words that came for a run (the position of its first row) behind a position, in their order.

    Raises:
        JournalError: The journal cannot be read.
    """
    with closing(open_for_reading(path)) as connection, translated(path):
        rows = connection.execute(_WORDS, (run, max(run, after))).fetchall()
    return [Word(int(row["position"]), str(parsed(row["body"]).get("name", "")), row["text"]) for row in rows]


def asked_of(path: Path, run: int, after: int) -> dict[str, Any]:
    """Return what somebody asks of a run since a position ("pause", "cancel"), who, and why; nothing mostly."""
    with closing(open_for_reading(path)) as connection, translated(path):
        row = connection.execute(_ASKED, (run, max(run, after))).fetchone()
    found = {} if row is None else parsed(row["body"])
    return found if "ask" in found else {}


def tell(journal: Journal, run: str, what: str, body: dict[str, Any], text: str | None = None) -> None:
    """Write a row of a run that somebody else is at, or nobody.

    Raises:
        JournalError: There is no such run, it has ended, or the journal cannot be written.
    """
    chain = _chain(journal, run)
    chain.note(what, body, text)
    journal.commit()


def ended(journal: Journal, run: str, why: str) -> None:
    """End a run for good that nobody is at: it is "cancelled".

    Raises:
        JournalError: There is no such run, it has ended, or the journal cannot be written.
    """
    chain = _chain(journal, run)
    chain.kept = True
    chain.calls = unended(journal.path, run, journal.home).ended_calls
    chain.end("cancelled", RunStopped(why))
    journal.commit()


def _chain(journal: Journal, run: str) -> Chain:
    """Return what appends to a run that has not ended."""
    row, _ = show_run(journal.path, run)
    if row.status in ENDED:
        raise JournalError(journal.path, f"run {run[:12]} has ended: {row.status}", "`rtfs runs list` shows the runs")
    with reading(journal.path) as connection:
        found = connection.execute(_RUN, (run,)).fetchone() if has_log(connection) else None
        if found is None:
            raise JournalError(journal.path, f"run {run[:12]} is of an older version", "begin a new run")
        keys = keys_of(connection, journal.path, journal.home)
    facts = RunFacts(run, row.program, row.source, row.started, row.policy, row.version, tenant=row.tenant)
    chain = Chain(journal, facts)
    chain.number, chain.file = int(found["position"]), keys.journal
    return chain
