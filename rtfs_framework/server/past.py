"""What a server tells of earlier runs: of a tenant's own alone, and nothing of what was said in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rtfs_framework.orchestrator.config.folders import data_dir, journal_path
from rtfs_framework.orchestrator.explaining.following import all_ok, follow, followed_json
from rtfs_framework.orchestrator.recording.journal.chain import Head
from rtfs_framework.orchestrator.recording.journal.fault import JournalError
from rtfs_framework.orchestrator.recording.journal.query import show_run
from rtfs_framework.orchestrator.recording.journal.verify import holds, verify
from rtfs_framework.server.problems import NOT_HERE, Problem, malformed

if TYPE_CHECKING:
    from pathlib import Path

    from rtfs_framework.orchestrator.recording.journal.listed import RunRow
    from rtfs_framework.orchestrator.session import Session
    from rtfs_framework.server.state import ServerState


def told_run(state: ServerState, session: Session, run: str) -> dict[str, Any]:
    """Return how a run stands. Reads the journal: call it in a thread.

    Raises:
        Problem: 404, this tenant has no such run.
    """
    row = _own(state, session, run)
    return {"run": row.id, "head": _head(session), "rows": row.entries or 0, "status": row.status}


def verified_run(
    state: ServerState, session: Session, run: str, *, head: str = "", hops: int | None = None
) -> dict[str, Any]:
    """Return whether the record of a run is as it was written. Reads the journal, and may ask: call it in a thread.

    `head` is one that somebody else wrote down: it must be in the journal. With `hops`, so many hosts further are asked
    about the runs that this one had answers from.

    Raises:
        Problem: 404, this tenant has no such run; 400, the head is none.
    """
    row = _own(state, session, run)
    path = _journal(state, session)
    verdict = verify(path, row.id, data_dir(state.environ))
    problems = [] if verdict.ok else [verdict.reason]
    if head and not _holds(path, head):
        problems.append("the head that the asker's record names is not in this journal: it was written anew")
    followed = (
        () if hops is None else follow(session.host, path, row.id, min(hops, state.spec.hops), state.spec.seconds)
    )
    ok = not problems and all_ok(followed)
    told = {"run": row.id, "head": _head(session), "host": state.host_id, "ok": ok, "problems": problems}
    told["asked_by"] = {name: row.asked_by.get(name, "") for name in ("run", "head", "call")}
    return {**told, "followed": followed_json(followed)}


def _holds(path: Path, head: str) -> bool:
    try:
        return holds(path, Head.parse(head))
    except ValueError:
        raise malformed(f"{head[:80]!r} is no head of a journal") from None


def _own(state: ServerState, session: Session, run: str) -> RunRow:
    problem = Problem(404, NOT_HERE, "there is no such run", kind="NotFound")
    if session.host.journal is None:
        raise problem
    try:
        session.host.journal.flush()
        row, _ = show_run(_journal(state, session), run)
    except JournalError:
        raise problem from None
    if row.id != run or row.tenant != session.host.config.tenant:
        raise problem
    return row


def _head(session: Session) -> str:
    journal = session.host.journal
    return "" if journal is None else journal.head


def _journal(state: ServerState, session: Session) -> Path:
    return journal_path(state.environ, session.host.config.journal.path)
