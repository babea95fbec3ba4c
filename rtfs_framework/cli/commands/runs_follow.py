"""`rtfs runs verify --follow`: a run here, and the runs on other hosts that it had answers from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from rtfs_framework.cli.faults import FAILED, FINE
from rtfs_framework.cli.journals import home
from rtfs_framework.cli.options import config_path, environment
from rtfs_framework.cli.shown.data import put_json
from rtfs_framework.cli.terminal import say

if TYPE_CHECKING:
    from rtfs_framework.api.remote import Followed

_ID = 12


def verify_further(run: str, hops: int, *, as_json: bool, config: str | None) -> int:
    """Prove a run here and its parts elsewhere, and tell; return the exit code."""
    from rtfs_framework.orchestrator.config.folders import journal_path
    from rtfs_framework.orchestrator.explaining.following import all_ok, follow, followed_json, wrong_in
    from rtfs_framework.orchestrator.recording.journal.query import find_run
    from rtfs_framework.orchestrator.recording.journal.verify import verify
    from rtfs_framework.orchestrator.session import Session

    environ = environment()
    with Session.open(config_path=config_path(config), environ=environ, journal=False) as session:
        path = journal_path(environ, session.host.config.journal.path)
        verdict = verify(path, find_run(path, run), home())
        followed = follow(session.host, path, verdict.run, hops)
    fine = verdict.ok and all_ok(followed)
    if as_json:
        put_json({**attrs.asdict(verdict), "ok": fine, "followed": followed_json(followed)})
        return FINE if fine else FAILED
    here = "intact" if verdict.ok else f"broken: {verdict.reason}"
    say(f"{verdict.run[:_ID]}: {here}, {verdict.entries:,} calls")
    _tell(followed, "  ")
    for problem in wrong_in(followed):
        say(f"broken: {problem}")
    if not followed:
        say("no other host gave an answer")
    return FINE if fine else FAILED


def _tell(followed: tuple[Followed, ...], indent: str) -> None:
    for each in followed:
        state = "intact" if each.ok else "not proved"
        say(f"{indent}{each.run[:_ID]} on host {each.host}: {state}")
        _tell(each.followed, f"{indent}  ")
