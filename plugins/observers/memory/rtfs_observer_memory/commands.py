"""`rtfs memory search|show|forget`."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import click

from rtfs_framework.api import observer_settings_of, one_line
from rtfs_framework.api.units import duration
from rtfs_observer_memory.memory import MOST_SHOWN, Entry, Memory, Query

_WIDTH = 200
_LARGEST = 2**63 - 1
"""What SQLite takes as a number of a row."""


def _ago(_ctx: click.Context, _param: click.Parameter, value: str | None) -> float | None:
    """Return a time, said as how long ago it was."""
    if value is None:
        return None
    seconds = duration(value)
    if seconds is None:
        raise click.BadParameter(f"'{value}' is no duration; write 30min, 12h or 7d")
    return time.time() - seconds


_CONFIG = click.option("--config", metavar="FILE", help="A configuration.")
_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs to read.")


def _filters(command: Callable[..., Any]) -> Callable[..., Any]:
    options = [
        click.argument("words", nargs=-1),
        click.option("--run", metavar="ID", help="Of one run."),
        click.option("--tenant", metavar="NAME", help="Of one tenant."),
        click.option("--kind", type=click.Choice(["call", "rating", "run"]), help="Only what is of this kind."),
        click.option("--name", metavar="SYMBOL", help="Calls and ratings of one function."),
        click.option("--status", metavar="STATUS", help="Such as answered, failed, refused, complete."),
        click.option("--mark", metavar="MARK", help="What carries this mark."),
        click.option("--since", callback=_ago, metavar="DURATION", help="Not older than this: 12h, 7d."),
        click.option("--before", callback=_ago, metavar="DURATION", help="Older than this."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


@click.command()
@_filters
@click.option("--limit", type=click.IntRange(1, MOST_SHOWN), default=20, show_default=True, help="How many at most.")
@_CONFIG
@_JSON
def search(*, limit: int, config: str | None, as_json: bool, **said: Any) -> None:
    """Find entries with all WORDS (or their beginnings) in a name, arguments, an answer or an error; the newest first.

    \b
    rtfs memory search parcel late --since 7d
    rtfs memory search --status failed --name triage --json
    """  # noqa: D301 - click's \b is a backspace
    memory = _memory(config)
    try:
        found = memory.find(Query(**said), limit)
    finally:
        memory.close()
    for entry in found:
        click.echo(json.dumps(entry.to_json()) if as_json else _line(entry))
    if not found and not as_json:
        click.echo("nothing is kept that fits")


@click.command()
@click.argument("number", metavar="ID", type=click.IntRange(1, _LARGEST))
@_CONFIG
@_JSON
def show(*, number: int, config: str | None, as_json: bool) -> None:
    """Show all that is kept of one entry.

    \b
    rtfs memory show 12
    """  # noqa: D301 - click's \b is a backspace
    memory = _memory(config)
    try:
        entry = memory.get(number)
    finally:
        memory.close()
    if entry is None:
        raise click.UsageError(f"there is no entry {number}; `rtfs memory search` lists them")
    if as_json:
        click.echo(json.dumps(entry.to_json()))
        return
    click.echo(_line(entry))
    for name, value in entry.facts.items():
        click.echo(f"  {name}: {one_line(str(value), 10_000)}")


@click.command()
@_filters
@click.option("--all", "everything", is_flag=True, help="Everything.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@_CONFIG
@_JSON
def forget(*, everything: bool, yes: bool, config: str | None, as_json: bool, **said: Any) -> None:
    """Forget the entries that fit, for good.

    \b
    rtfs memory forget --before 30d
    rtfs memory forget --mark pii --yes --json
    """  # noqa: D301 - click's \b is a backspace
    query = Query(**said)
    if query.narrows == everything:
        raise click.UsageError("say which entries (--run, --before, --mark, WORDS ...), or --all")
    memory = _memory(config)
    try:
        if not yes:
            click.confirm(f"forget {memory.count(query):,} entries?", abort=True, err=as_json)
        gone = memory.forget(query)
        click.echo(json.dumps({"forgotten": gone}) if as_json else f"{gone:,} entries are forgotten")
    finally:
        memory.close()


def _memory(config: str | None) -> Memory:
    return Memory(Path(observer_settings_of("memory", config=config).directory))


def _line(entry: Entry) -> str:
    at = datetime.fromtimestamp(entry.at, timezone.utc).strftime("%Y-%m-%d %H:%M:%S")
    facts = entry.facts
    if entry.kind == "rating":
        what = f"was worth {facts.get('value')}"
    elif entry.kind == "run":
        what = f"{facts.get('calls', 0)} calls, {facts.get('errors', 0)} errors, ${facts.get('cost', 0.0):.4f}"
    else:
        said = facts.get("error") or facts.get("answer") or ""
        what = f"{facts.get('args', '')} -> {said}" if said or facts.get("args") else ""
    marks = "".join(f" :{mark}" for mark in sorted(entry.marks))
    parts = (str(entry.id), at, entry.kind, entry.status, entry.name or entry.run, entry.target, what)
    return one_line(" ".join(part for part in parts if part), _WIDTH) + one_line(marks, _WIDTH)
