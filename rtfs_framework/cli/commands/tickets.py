"""`rtfs tickets list|show|cancel|retry|count|answer`: calls that are answered later, and what became of them."""

from __future__ import annotations

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

    VALUE is JSON, or else a text. `rtfs runs list` shows which runs wait for which jobs.

    \b
    rtfs tickets answer 3f1c/1:0 '{"total": 7}'
    rtfs tickets answer 3f1c paid
    """  # noqa: D301 - click's \b is a backspace
    from rtfs_framework.cli.commands.runs_resume import send
    from rtfs_framework.cli.journals import journal
    from rtfs_framework.orchestrator.recording.journal.query import find_run
    from rtfs_framework.orchestrator.recording.journal.waiting import waits_of

    named, _, call = id_.partition("/")
    path = journal(config)
    run = find_run(path, named)
    near = {str(each["call"]).partition(":")[2]: each for each in waits_of(path, [run]).get(run, ()) if "job" in each}
    found = [near[call]] if call in near else [each for id_, each in near.items() if id_.startswith(call)]
    if len(found) != 1:
        what = "more than one call that begins so" if found else "no call"
        raise problem(NO_ITEM, f"{what} of run {run[:12]} waits for an answer from outside", "rtfs runs list")
    send(run, config, str(found[0]["for"]), value)
    whole = f"{run}/{str(found[0]['call']).partition(':')[2]}"
    if as_json:
        put_json({"id": whole, "job": found[0]["job"]})
    else:
        say(f"{whole}: answered")


for each in (*commands("tickets"), answer_command):
    command.add_command(each)
