"""`rtfs runs export` and `rtfs runs tail`: the journal for other programs, as lines of JSON, and as it is written."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import attrs
import click

from rtfs_framework.cli.journals import journal
from rtfs_framework.cli.options import config_option, json_option
from rtfs_framework.cli.output import Output
from rtfs_framework.cli.past import runs_of
from rtfs_framework.cli.shown.data import put_json
from rtfs_framework.cli.shown.words import moment, money
from rtfs_framework.cli.since import Since
from rtfs_framework.cli.terminal import say

_ID = 12
_PAUSE = 0.5
"""Seconds between two looks at a journal that is watched."""


@click.command("export")
@click.argument("runs", nargs=-1, metavar="[RUN]...")
@click.option("--since", type=Since(), metavar="WHEN", help="All runs begun since: 7d, 24h, 2026-11-01.")
@click.option("--out", metavar="FILE", help="Write to FILE, not to stdout.")
@config_option
def export_command(runs: tuple[str, ...], *, since: float | None, out: str | None, config: str | None) -> None:
    """Write runs and their calls as JSON, an object per line: {"run": ...}, then its calls, {"call": ..., "of": ID}.

    What is not kept is not there: texts only as far as [journal] keep says. FILE has mode 0600.

    \b
    rtfs runs export last
    rtfs runs export --since 7d --out runs.jsonl
    """  # noqa: D301 - click's \b is a backspace
    path = journal(config)
    with Output.open(out, private=True) as output:
        for line in _exported(path, runs_of(path, runs, since)):
            if out is None:
                put_json(line)
            else:
                output.write(line)


def _exported(path: Path, runs: list[str]) -> Iterator[dict[str, Any]]:
    from rtfs_framework.orchestrator.recording.journal.query import show_run

    for run in runs:
        row, entries = show_run(path, run)
        yield {"run": attrs.asdict(row)}
        for entry in entries:
            yield {"call": entry, "of": row.id}


@click.command("tail")
@click.option(
    "--lines", type=click.IntRange(min=0), default=10, show_default=True, metavar="N", help="Begin N rows back."
)
@click.option("--follow/--no-follow", default=True, help="Go on with what is written, until Ctrl-C.")
@json_option
@config_option
def tail_command(*, lines: int, follow: bool, as_json: bool, config: str | None) -> None:
    """Show what is written to the journal, as it is written: runs that begin and end, calls that begin and end.

    \b
    rtfs runs tail
    rtfs runs tail --lines 100 --no-follow --json
    """  # noqa: D301
    from rtfs_framework.orchestrator.recording.journal.tail import latest, written_since

    path = journal(config)
    after = latest(path, lines) if path.exists() else 0
    show: Callable[[Any], None] = _show_json if as_json else _show
    while True:
        for row in written_since(path, after) if path.exists() else ():
            after = row.position
            show(row)
        if not follow:
            return
        time.sleep(_PAUSE)


def _show_json(row: Any) -> None:
    put_json(row.to_json())


def _show(row: Any) -> None:
    body = row.body
    facts = [str(body.get(name)) for name in ("symbol", "target", "outcome", "status", "source") if body.get(name)]
    if body.get("cost", 0) != 0:
        facts.append(money(body["cost"] or 0.0, body["cost"] is None))
    when = "" if row.at is None else f"{moment(row.at)}  "
    say(f"{when}{row.run[:_ID]}  {row.what:<6} {row.name:>8}  {'  '.join(facts)}")
