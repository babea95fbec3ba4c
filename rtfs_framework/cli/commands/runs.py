"""`rtfs runs list|show|verify`: the causal chain, read."""

from __future__ import annotations

import os
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import click

from rtfs_framework.cli.faults import FAILED, FINE
from rtfs_framework.cli.options import config_option, config_path, json_option
from rtfs_framework.cli.shown.data import line
from rtfs_framework.cli.shown.words import money, seconds

if TYPE_CHECKING:
    from rtfs_framework.orchestrator.journal.query import RunRow

_ID = 12


@click.group()
def command() -> None:
    """List, show and verify earlier runs. RUN is an id, the beginning of one, or `last`."""


@command.command("list")
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, metavar="N", help="At most N runs.")
@json_option
@config_option
def list_command(*, limit: int, as_json: bool, config: str | None) -> None:
    """List the latest runs, newest first."""
    from rtfs_framework.orchestrator.journal.query import list_runs

    path = journal(config)
    runs = list_runs(path, limit) if path.exists() else []
    if as_json:
        click.echo(line({"journal": str(path), "runs": [attrs.asdict(run) for run in runs]}))
        return
    if not runs:
        click.echo(f"no runs yet in {path}")
    for run in runs:
        calls = "" if run.entries is None else f"{run.entries:,} calls"
        click.echo(f"{run.id[:_ID]}  {_time(run.started)}  {run.status:<11}  {calls:>12}  {run.source}")


@command.command("show")
@click.argument("run", default="last")
@json_option
@config_option
def show_command(run: str, *, as_json: bool, config: str | None) -> None:
    """Show the calls of a run, in order: where each ran, why, what it took.

    Drafts are calls of a process that died: they were done, but their turn in the chain had not come.
    """
    from rtfs_framework.orchestrator.journal.query import drafts_of, find_run, show_run

    path = journal(config)
    row, entries = show_run(path, find_run(path, run))
    if as_json:
        click.echo(line({"run": attrs.asdict(row)}))
    else:
        _show_head(row)
    for entry in entries:
        click.echo(line(entry) if as_json else _entry(entry))
    if row.status == "unfinished":
        for entry in drafts_of(path, row.id):
            click.echo(line(entry) if as_json else _entry(entry))


@command.command("verify")
@click.argument("run", default="last")
@json_option
@config_option
def verify_command(run: str, *, as_json: bool, config: str | None) -> int:
    """Recompute the hashes of a run: whatever was changed, left out or added is found. Exit code 1 if anything was."""
    from rtfs_framework.orchestrator.journal.query import find_run, verify

    path = journal(config)
    verdict = verify(path, find_run(path, run))
    if as_json:
        click.echo(line(attrs.asdict(verdict)))
    elif verdict.ok:
        note = "" if verdict.finished else f" ({verdict.reason})"
        click.echo(f"{verdict.run[:_ID]}: intact, {verdict.entries:,} calls{note}")
    else:
        click.echo(f"{verdict.run[:_ID]}: broken: {verdict.reason}")
    return FINE if verdict.ok else FAILED


def journal(config: str | None) -> Path:
    """Return the journal's file, as the configuration says.

    Raises:
        ConfigError: The configuration has mistakes.
    """
    from rtfs_framework.orchestrator.config.load import load_config
    from rtfs_framework.orchestrator.journal.place import journal_path
    from rtfs_framework.registry.load import load_catalog

    found = load_config(config_path(config), None, os.environ, load_catalog(os.environ), lambda _fault: None)
    return journal_path(os.environ, found.journal.path)


def _time(stamp: float) -> str:
    return datetime.fromtimestamp(stamp, timezone.utc).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def _show_head(row: RunRow) -> None:
    click.secho(f"run {row.id}", bold=True)
    click.echo(f"  program  {row.source} (sha256 {row.program[:_ID]})")
    click.echo(f"  started  {_time(row.started)}")
    took = "" if row.ended is None else f" after {seconds(row.ended - row.started)}"
    click.echo(f"  status   {row.status}{took}{': ' + row.message if row.message else ''}")
    click.echo(f"  policy   {row.policy[:_ID]}  rtfs {row.version}")


def _entry(entry: dict[str, Any]) -> str:
    decision = entry["decision"] or {}
    facts = [entry["target"]]
    if decision:
        facts.append(f"{decision['source']}: {decision['reasoning']}")
    facts += [text for text in (entry["cache"], entry["model"], entry["explanation"]) if text]
    facts.append(seconds(entry["micros"] / 1_000_000))
    if entry["cost"] != 0:
        facts.append(money(entry["cost"] or 0.0, entry["cost"] is None))
    if entry["error_kind"]:
        facts.append(f"{entry['error_kind']}: {entry['error']}")
    record = "" if entry["record"] is None else f" record {entry['record'] + 1}"
    branch = f" [{entry['branch']}]" if entry["branch"] else ""
    seq = "draft" if entry["seq"] is None else entry["seq"]
    return f"{seq:>6}{record}{branch}  {entry['symbol']}  {'; '.join(facts)}"
