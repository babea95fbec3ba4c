"""`rtfs tickets list|show|cancel|retry|count|answer`: calls that are answered later, and what became of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import click

from rtfs_framework.cli.options import config_option, json_option
from rtfs_framework.cli.problems import problem
from rtfs_framework.cli.queues import NO_ITEM
from rtfs_framework.cli.shown.data import put_json
from rtfs_framework.cli.shown.queued import commands
from rtfs_framework.cli.terminal import say


@click.group()
def command() -> None:
    """Show and change calls that are answered later. ID is RUN/CALL, or the beginning of one.

    \b
    rtfs tickets list --state dead
    rtfs tickets retry 3f1c
    rtfs tickets answer 3f1c '{"total": 7}'
    """  # noqa: D301 - click's \b is a backspace


@click.command("answer")
@click.argument("id_", metavar="ID")
@click.argument("value")
@json_option
@config_option
def answer_command(id_: str, value: str, *, as_json: bool, config: str | None) -> None:
    """Answer a call of a capability that answers later: its run waits for the job, and goes on with VALUE.

    ID is RUN/CALL: the call whole, the run or the beginning of its id. RUN alone is enough where one call of it waits.
    VALUE is JSON, or else a text. `rtfs runs list` shows which runs wait for which jobs. The first answer counts.

    \b
    rtfs tickets answer 3f1c/1:0 '{"total": 7}'
    rtfs tickets answer 3f1c paid
    """  # noqa: D301 - click's \b is a backspace
    from rtfs_framework.cli.commands.runs_resume import send
    from rtfs_framework.cli.journals import journal

    named, _, call = id_.partition("/")
    found = _waiting(journal(config), named, call)
    send(found.run, config, str(found.wait["for"]), value)
    whole = f"{found.run}/{found.call}"
    if as_json:
        put_json({"id": whole, "job": found.wait["job"]})
    else:
        say(f"{whole}: answered")


class _Found(NamedTuple):
    """A call that waits for an answer from outside."""

    run: str
    call: str
    wait: Mapping[str, Any]


def _waiting(path: Path, named: str, call: str) -> _Found:
    """Return the call of an id, or the only one of a run that has no answer yet.

    An id is taken whole: where 1:1 is over, a late answer to it would else be one to 1:10.

    Raises:
        InputError: E0926, none waits, more than one does, or it has its answer already.
    """
    from rtfs_framework.orchestrator.recording.journal.query import find_run
    from rtfs_framework.orchestrator.recording.journal.waiting import waits_of, words_of

    run = find_run(path, named)
    waits = {str(each["call"]).partition(":")[2]: each for each in waits_of(path, [run]).get(run, ()) if "job" in each}
    sent = words_of(path, [run]).get(run, set())
    left = {id_: each for id_, each in waits.items() if each["for"] not in sent}
    if call in left:
        return _Found(run, call, left[call])
    if not call and len(left) == 1:
        return _Found(run, *next(iter(left.items())))
    raise problem(NO_ITEM, _why_none(path, run, call, waits, more=len(left) > 1), "rtfs runs list")


def _why_none(path: Path, run: str, call: str, waits: Mapping[str, Any], *, more: bool) -> str:
    from rtfs_framework.cli.journals import home
    from rtfs_framework.orchestrator.recording.journal.history import history_of
    from rtfs_framework.orchestrator.recording.journal.why import why

    shown = run[:12]
    if not call and more:
        return f"more than one call of run {shown} waits for an answer from outside: name one"
    if not call:
        return f"no call of run {shown} waits for an answer from outside" + (" any more" if waits else "")
    with history_of(path, home()) as history:
        known = history is not None and why(history, run, call) is not None
    over = call in waits or known
    return f"call {call} of run {shown} " + ("has its answer already" if over else "waits for no answer from outside")


for each in (*commands("tickets"), answer_command):
    command.add_command(each)
