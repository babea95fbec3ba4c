"""`rtfs runs`: the journal, read, proved, decided again, and freed of what was kept of people."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import click

from rtfs_framework.cli.commands.runs_export import export_command, tail_command
from rtfs_framework.cli.commands.runs_gc import gc_command
from rtfs_framework.cli.commands.runs_list import list_command
from rtfs_framework.cli.commands.runs_rate import rate_command
from rtfs_framework.cli.commands.runs_replay import replay_command
from rtfs_framework.cli.commands.runs_resume import COMMANDS
from rtfs_framework.cli.commands.runs_why import why_command
from rtfs_framework.cli.faults import FAILED, FINE
from rtfs_framework.cli.journals import home, journal
from rtfs_framework.cli.options import config_option, json_option
from rtfs_framework.cli.shown.data import put_json
from rtfs_framework.cli.shown.words import moment, money, seconds
from rtfs_framework.cli.style import bold
from rtfs_framework.cli.terminal import say

if TYPE_CHECKING:
    from rtfs_framework.orchestrator.recording.journal.chain import Head
    from rtfs_framework.orchestrator.recording.journal.listed import RunRow

_ID = 12


@click.group()
def command() -> None:
    """List, show, verify and decide again earlier runs. RUN is an id, the beginning of one, or `last`."""


@command.command("show")
@click.argument("run", default="last")
@click.option("--replies", is_flag=True, help="Also what each call was asked and answered, where that is kept.")
@json_option
@config_option
def show_command(run: str, *, replies: bool, as_json: bool, config: str | None) -> None:
    """Show the calls of a run, sorted by id: where each ran, why, what it took.

    A call that began and has no end was under way when its process died: it may have been made, and paid.
    """
    from rtfs_framework.orchestrator.recording.journal.query import find_run, show_run

    path = journal(config)
    row, entries = show_run(path, find_run(path, run))
    if as_json:
        put_json({"run": attrs.asdict(row)})
    else:
        _show_head(row)
    for entry in entries:
        if replies:
            entry["answer"] = _answer(entry)
        _show_entry(entry, as_json=as_json)
        if replies and not as_json:
            asked = entry["args"] or ("encrypted" if "args" in entry.get("sealed", ()) else "not kept")
            say(f"{'':>10}asked {asked}; answered {entry['answer']}")


def _answer(entry: dict[str, Any]) -> str:
    """Return what a call was answered, as RTFS writes it."""
    from rtfs_framework.lang.printer import write
    from rtfs_framework.orchestrator.recording.journal.kept import REPLY, answer_of

    if entry.get("reply") is None:
        return "encrypted" if REPLY in entry.get("sealed", ()) else "not kept"
    try:
        answer = answer_of(entry["reply"])
    except ValueError:
        return "changed"
    if answer.error is None:
        return write(answer.value)
    return f"error {answer.error.value.kind}: {answer.error.value.message}"


@command.command("verify")
@click.argument("run", default="last")
@click.option("--all", "whole", is_flag=True, help="Verify the whole journal, not one run.")
@click.option(
    "--against", metavar="HEAD", help="With --all: a head that `rtfs runs head` printed earlier must be in it."
)
@click.option("--follow", is_flag=True, help="Ask the other hosts that gave answers, and those that they asked, too.")
@click.option(
    "--hops", type=click.IntRange(1, 8), default=4, show_default=True, metavar="N", help="With --follow: how far."
)
@json_option
@config_option
def verify_command(
    run: str, *, whole: bool, against: str | None, follow: bool, hops: int, as_json: bool, config: str | None
) -> int:
    """Prove a run: whatever was changed, left out, added or cut off is found. Exit code 1 if anything was."""
    if follow:
        from rtfs_framework.cli.commands.runs_follow import verify_further

        return verify_further(run, hops, as_json=as_json, config=config)
    if whole or against is not None:
        return _verify_all(journal(config), _head(against), as_json=as_json)
    from rtfs_framework.orchestrator.recording.journal.query import find_run
    from rtfs_framework.orchestrator.recording.journal.verify import verify

    path = journal(config)
    verdict = verify(path, find_run(path, run), home())
    if as_json:
        put_json(attrs.asdict(verdict))
    elif verdict.ok:
        note = "" if verdict.finished else f" ({verdict.reason})"
        say(f"{verdict.run[:_ID]}: intact, {verdict.entries:,} calls{note}")
    else:
        say(f"{verdict.run[:_ID]}: broken: {verdict.reason}")
    if verdict.note and not as_json:
        say(f"note: {verdict.note}")
    return FINE if verdict.ok else FAILED


@command.command("head")
@json_option
@config_option
def head_command(*, as_json: bool, config: str | None) -> None:
    """Print the journal's head, which stands for all that is in it: keep it where the journal is not.

    The last line is the head alone, for `rtfs runs verify --all --against HEAD`.
    """
    from rtfs_framework.orchestrator.recording.journal.verify import head_of

    path = journal(config)
    head = head_of(path, home())
    if as_json:
        put_json({"journal": str(path), "rows": head.position, "head": str(head)})
        return
    say(f"{path}: {head.position:,} rows")
    say(str(head))


@command.command("redact")
@click.argument("run")
@click.option("--calls", metavar="ID,ID", help="Only these calls, as `rtfs runs show` names them.")
@json_option
@config_option
def redact_command(run: str, *, calls: str | None, as_json: bool, config: str | None) -> None:
    """Remove what was kept of a run for good: arguments, messages, explanations. Its rows stay, and still verify."""
    from rtfs_framework.orchestrator.concurrency.clock import SystemClock
    from rtfs_framework.orchestrator.recording.journal.query import find_run
    from rtfs_framework.orchestrator.recording.journal.redact import redact
    from rtfs_framework.orchestrator.recording.journal.writer import Journal

    path = journal(config)
    found = find_run(path, run)
    wanted = None if calls is None else [each.strip() for each in calls.split(",") if each.strip()]
    writer = Journal(path, home(), SystemClock())
    try:
        gone = redact(writer, found, wanted)
    finally:
        writer.close()
    if as_json:
        put_json({"run": found, "removed": gone})
    else:
        say(f"{found[:_ID]}: {gone:,} texts removed")


def _head(text: str | None) -> Head | None:
    if text is None:
        return None
    from rtfs_framework.orchestrator.recording.journal.chain import Head

    try:
        return Head.parse(text)
    except ValueError as error:
        message = f"{text!r} is no head; `rtfs runs head` prints one, such as 12:0f3a..."
        raise click.BadParameter(message, param_hint="--against") from error


def _verify_all(path: Path, against: Head | None, *, as_json: bool) -> int:
    from rtfs_framework.orchestrator.recording.journal.verify import verify_all

    verdict = verify_all(path, home(), against)
    if as_json:
        put_json(attrs.asdict(verdict))
        return FINE if verdict.ok else FAILED
    for problem in verdict.problems:
        say(f"broken: {problem}")
    for note in verdict.notes:
        say(f"note: {note}")
    state, runs = "intact" if verdict.ok else "broken", "1 run" if verdict.runs == 1 else f"{verdict.runs:,} runs"
    say(f"{path}: {state}, {runs}, {verdict.unfinished:,} unfinished, {verdict.rows:,} rows")
    return FINE if verdict.ok else FAILED


def _show_head(row: RunRow) -> None:
    say(bold(f"run {row.id}"))
    say(f"  program  {row.source} (sha256 {row.program[:_ID]})")
    say(f"  started  {moment(row.started)}")
    took = "" if row.ended is None else f" after {seconds(row.ended - row.started)}"
    say(f"  status   {row.status}{took}{': ' + row.message if row.message else ''}")
    say(f"  policy   {row.policy[:_ID]}  rtfs {row.version}")
    if row.manifest:
        say(f"  held to the manifest {row.manifest[:_ID]}")
    if row.asked_by:
        say(f"  asked by {_asker(row.asked_by)}")


def _asker(told: Mapping[str, str]) -> str:
    """Return who asked for a run from elsewhere: the token is known, the rest is what they said."""
    facts = [f"the holder of token {told['token']}"] if told.get("token") else []
    facts += [f"item {told['queue']} of the queue"] if told.get("queue") else []
    facts += [f"host {told['host']}"] if told.get("host") else []
    if told.get("run"):
        call = f", call {told['call']}" if told.get("call") else ""
        facts.append(f"run {told['run'][:_ID]}{call}")
    return ", ".join(facts)


def _show_entry(entry: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        put_json(entry)
    else:
        say(_entry(entry))


def _entry(entry: dict[str, Any]) -> str:
    from rtfs_framework.orchestrator.recording.similar_mark import words_of

    decision = entry["decision"] or {}
    facts = [entry["target"]]
    if decision:
        facts.append(f"{decision['source']}: {decision['reasoning']}")
    tried = [f"{each['target']} ({each['kind']})" for each in entry.get("attempts", ())]
    facts += [f"after {', '.join(tried)}"] if tried else []
    facts += [f"{name} {did}" for name, did in entry.get("hints", ())]
    facts += [words_of(entry["similar"])] if entry.get("similar") else []
    facts += [text for text in (entry["cache"], entry["model"], entry["explanation"]) if text]
    if entry.get("remote"):
        facts.append(f"run {entry['remote']['run'][:_ID]} on host {entry['remote']['host']}")
    if entry["micros"] is not None:
        facts.append(seconds(entry["micros"] / 1_000_000))
    if entry["cost"] != 0:
        facts.append(money(entry["cost"] or 0.0, entry["cost"] is None))
    if entry.get("labels"):
        facts.append(" ".join(f":{mark}" for mark in entry["labels"]))
    if entry.get("freed"):
        facts.append(f"declassified {' '.join(f':{mark}' for mark in entry['freed']['marks'])}")
    if entry["error_kind"]:
        facts.append(": ".join(filter(None, (entry["error_kind"], entry["error"] or entry.get("error_code")))))
    facts += [f"rated {each['value']:g} by {each['by']}" for each in entry.get("feedback", ())]
    if entry["state"] == "begun":
        facts.append("began, and no end is known")
    if entry["state"] == "draft":
        facts.append("draft: done when the process died, and not in the chain")
    return f"{_call_id(entry):>8}  {entry['symbol']}  {'; '.join(facts)}"


def _call_id(entry: dict[str, Any]) -> str:
    """Return a call's id as `redact --calls` takes it; those of older versions have no entry."""
    from rtfs_framework.orchestrator.recording.journal.redact import name_of

    return name_of(entry["entry"], entry["record"], entry["path"])


_ALL = (list_command, tail_command, export_command, why_command, rate_command, replay_command, gc_command)
for _each in (*COMMANDS, *_ALL):
    command.add_command(_each)
