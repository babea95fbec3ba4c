"""`rtfs learn list|show|reset|export`: what engines have learned from the journal."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rtfs_framework.cli.faults import FAILED, FINE
from rtfs_framework.cli.options import config_option, json_option, open_session
from rtfs_framework.cli.output import write_text
from rtfs_framework.cli.problems import problem
from rtfs_framework.cli.shown.columns import age, say_table
from rtfs_framework.cli.shown.data import put_json
from rtfs_framework.cli.style import bold
from rtfs_framework.cli.terminal import complain, put, say

if TYPE_CHECKING:
    from rtfs_framework.orchestrator.learning.overview import Learnt
    from rtfs_framework.orchestrator.session import Session

_HEAD = ("engine", "made by", "tenant", "outcomes", "skipped", "cells", "changed", "")
_WIDTH = 100
_UNUSABLE = "E0614"


@click.group()
def command() -> None:
    """Show, export and reset what engines have learned from the journal; fit what they decide by.

    \b
    rtfs learn list
    rtfs learn show learned
    rtfs learn reset learned --yes
    """  # noqa: D301 - click's \b is a backspace


@command.command("list")
@json_option
@config_option
def list_command(*, as_json: bool, config: str | None) -> None:
    """List what is kept: by which engine, from how many outcomes, since when.

    States of other settings or versions of an engine are kept for a while, and go on when these come back.

    \b
    rtfs learn list
    rtfs learn list --json
    """  # noqa: D301 - click's \b is a backspace
    with _opened(config) as (_, found):
        if as_json:
            put_json({"learned": [each.to_json(cells=False) for each in found]})
        elif not found:
            say("nothing was learned yet: no engine of the configuration learns, or no call was decided")
        else:
            say_table([_HEAD, *map(_row, found)])


@command.command("show")
@click.argument("engine")
@click.argument("cell", required=False)
@click.option("--verify", is_flag=True, help="Fold the journal again, and compare. Exit code 1 if it differs.")
@json_option
@config_option
def show_command(engine: str, cell: str | None, *, verify: bool, as_json: bool, config: str | None) -> int:
    """Show what an engine has learned, by its name in the configuration: all cells, or one.

    \b
    rtfs learn show learned
    rtfs learn show learned summarise --json
    rtfs learn show host.stats
    """  # noqa: D301 - click's \b is a backspace
    from rtfs_framework.lang.diagnostics import did_you_mean
    from rtfs_framework.orchestrator.learning.overview import is_what_the_journal_makes

    with _opened(config) as (session, found):
        learnt = _current(found, engine)
        same = None
        if verify and session.host.journal is not None:
            same = is_what_the_journal_makes(session.host.learning, session.host.journal, learnt)
    if cell is not None and cell not in learnt.cells:
        way_out = did_you_mean(cell, learnt.cells) or f"`rtfs learn show {engine}` shows all cells"
        raise click.UsageError(f"'{engine}' has no cell '{cell}'; {way_out}")
    cells = {name: each for name, each in learnt.cells.items() if cell in (None, name)}
    if as_json:
        data = learnt.to_json(cells=True)
        put_json({**data, "cells": {name: data["cells"][name] for name in cells}, "intact": same})
    else:
        _show(learnt, cells, same)
    return FAILED if same is False else FINE


@command.command("export")
@click.argument("engine")
@click.option("--out", metavar="FILE", help="Where to; on stdout without it.")
@config_option
def export_command(engine: str, *, out: str | None, config: str | None) -> None:
    """Write what an engine has learned as JSON: plain data, and nothing that runs.

    \b
    rtfs learn export learned --out learned.json
    """  # noqa: D301 - click's \b is a backspace
    with _opened(config) as (_, found):
        text = json.dumps(_current(found, engine).to_json(cells=True), indent=2, ensure_ascii=False)
    if out is None:
        put(f"{text}\n")
        return
    write_text(Path(out), f"{text}\n")
    complain(f"written: {out}")


@command.command("reset")
@click.argument("engines", nargs=-1, required=True)
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@config_option
def reset_command(engines: tuple[str, ...], *, yes: bool, as_json: bool, config: str | None) -> None:
    """Let engines begin anew: what they learned so far counts no more. The journal stays, and says so.

    \b
    rtfs learn reset learned
    rtfs learn reset learned host.stats --yes
    """  # noqa: D301 - click's \b is a backspace
    from rtfs_framework.orchestrator.learning.overview import forget

    with _opened(config) as (session, found):
        host, names = session.host, list(dict.fromkeys(engines))
        learnt = [_current(found, each) for each in names]
        if host.journal is None:
            raise click.UsageError("[journal] is off: nothing is kept, so there is nothing to reset")
        if not yes:
            _ask(learnt)
        forget(host.learning, host.journal, host.clock, names, host.config.tenant)
    if as_json:
        put_json({"reset": names})
    else:
        say(f"begins anew: {', '.join(names)}")


def _ask(learnt: Sequence[Learnt]) -> None:
    what = ", ".join(f"{each.kept.place.learner} ({each.kept.outcomes:,} outcomes)" for each in learnt)
    if not sys.stdin.isatty():
        raise click.UsageError(f"this forgets what was learned by {what}; say --yes where nobody can be asked")
    click.confirm(f"Forget what was learned by {what}?", abort=True, err=True)


@contextmanager
def _opened(config: str | None) -> Iterator[tuple[Session, list[Learnt]]]:
    """Open a session and what is kept, after what the journal tells was folded."""
    from rtfs_framework.orchestrator.learning.overview import caught_up, journal_id, overview
    from rtfs_framework.orchestrator.learning.store import StoreError

    with open_session(None, config) as session:
        host = session.host
        caught_up(host.learning)
        try:
            found = overview(host.learning, journal_id(host.journal), host.config.tenant)
        except StoreError as error:
            way_out = "see that the file can be used, or move it away: it is made again from the journal"
            raise problem(_UNUSABLE, f"what was learned cannot be read: {error}", way_out) from error
        yield session, found


def _current(found: Sequence[Learnt], engine: str) -> Learnt:
    from rtfs_framework.lang.diagnostics import did_you_mean

    known = {each.kept.place.learner: each for each in found if each.current}
    if engine not in known:
        way_out = did_you_mean(engine, known) or f"known: {', '.join(known) or 'none'}"
        raise click.UsageError(f"nothing was learned by an engine '{engine}' of this configuration; {way_out}")
    return known[engine]


def _show(learnt: Learnt, cells: object, same: bool | None) -> None:
    kept = learnt.kept
    say(bold(f"{kept.place.learner}: {kept.outcomes:,} outcomes, {kept.skipped:,} skipped, by {kept.who}"))
    for name, each in learnt.cells.items():
        if isinstance(cells, dict) and name in cells:
            text = json.dumps(each.value, ensure_ascii=False)
            shown = text if len(cells) == 1 or len(text) <= _WIDTH else f"{text[:_WIDTH]}... (--json shows all)"
            say(f"  {name}  v{each.version}  {shown}")
    if same is not None:
        say("the journal, folded again, gives the same" if same else "the journal, folded again, gives something else")


def _row(each: Learnt) -> tuple[str, ...]:
    kept = each.kept
    return (
        kept.place.learner,
        kept.who,
        kept.place.tenant,
        f"{kept.outcomes:,}",
        f"{kept.skipped:,}",
        f"{len(each.cells):,}",
        f"{age(time.time() - kept.changed)} ago",
        "" if each.current else "other settings, version, tenant or journal",
    )
