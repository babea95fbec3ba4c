"""`rtfs runs gc`: removes runs that are kept no longer, as `[journal]` or the command line says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import click

from rtfs_framework.cli.journals import home
from rtfs_framework.cli.options import config_option, json_option, open_session
from rtfs_framework.cli.shown.data import put_json
from rtfs_framework.cli.shown.words import moment
from rtfs_framework.cli.terminal import say
from rtfs_framework.cli.units import Ago, Size

if TYPE_CHECKING:
    from rtfs_framework.orchestrator.recording.journal.retention import Due

_ID = 12
_MANY = 200
"""Runs from which on a bar is worth it."""


@click.command("gc")
@click.option("--older-than", type=Ago(), metavar="TIME", help="Runs that ended longer ago: 90d, 12h.")
@click.option("--most", type=Size(), metavar="SIZE", help="The oldest runs, until the file has no more: 1GiB.")
@click.option("--dry-run", is_flag=True, help="Only say what would be removed.")
@json_option
@config_option
def gc_command(*, older_than: float | None, most: int | None, dry_run: bool, as_json: bool, config: str | None) -> None:
    """Remove runs that have ended and are kept no longer: whole, with their rows and texts, for good.

    Without options `[journal] retain`, `most_bytes` and `retain_labels` say which; an option goes before its key. Runs
    that have not ended stay. What is left still verifies, and says how much was removed. What engines learned stays.

    \b
    rtfs runs gc --older-than 90d --dry-run
    rtfs runs gc --most 1GiB
    """  # noqa: D301 - click's \b is a backspace
    from rtfs_framework.orchestrator.learning.overview import caught_up
    from rtfs_framework.orchestrator.recording.journal.retention import Retention, due

    with open_session(None, config) as session:
        host = session.host
        if host.journal is None:
            raise click.UsageError("[journal] is off: nothing is kept")
        path, rule, now = host.journal.path, Retention.of(host.config.journal), host.journal.clock.now()
        if not dry_run:
            caught_up(host.learning)  # what nobody has learned from yet would be lost
    if older_than is not None:
        rule = attrs.evolve(rule, seconds=older_than)
    if most is not None:
        rule = attrs.evolve(rule, most_bytes=most)
    if not rule.says_anything:
        raise click.UsageError('say which: --older-than 90d, or [journal] retain = "90d"')
    runs = due(path, rule, now) if path.exists() else []
    rows = 0 if dry_run or not runs else _removed(path, runs, shown=not as_json)
    _tell(path, runs, rows, dry_run=dry_run, as_json=as_json)


def _removed(path: Path, runs: Sequence[Due], *, shown: bool) -> int:
    """Remove them; return how many rows they had."""
    from rtfs_framework.cli.shown.progress import Progress, wanted
    from rtfs_framework.orchestrator.concurrency.clock import SystemClock
    from rtfs_framework.orchestrator.recording.journal.retention import cut
    from rtfs_framework.orchestrator.recording.journal.writer import Journal

    done = rows = 0
    with closing(Journal(path, home(), SystemClock())) as journal:
        bar = Progress(shown and len(runs) > _MANY and wanted(None), len(runs), lambda: done, "runs")
        try:
            with bar:
                for some, many in cut(journal, runs):
                    done, rows = done + some, rows + many
                    bar.update(done)
        except KeyboardInterrupt:
            if shown:
                say(f"stopped: {done:,} of {len(runs):,} runs are removed")
            raise
    return rows


def _tell(path: Path, runs: Sequence[Due], rows: int, *, dry_run: bool, as_json: bool) -> None:
    if as_json:
        told: list[dict[str, Any]] = [{"run": each.run, "ended": each.ended, "why": each.why} for each in runs]
        put_json({"journal": str(path), "dry_run": dry_run, "runs": told, "rows": rows})
        return
    if dry_run:
        for each in runs:
            say(f"{each.run[:_ID]}  ended {moment(each.ended)}  {_reason(each.why)}")
    count = "1 run" if len(runs) == 1 else f"{len(runs):,} runs"
    why = ", ".join(f"{many:,} by {_reason(reason)}" for reason, many in Counter(each.why for each in runs).items())
    how = "would be removed" if dry_run else "removed"
    say(f"{count} {how}{f': {why}' if why else ''}{f'; {rows:,} rows' if rows else ''}")


def _reason(why: str) -> str:
    return why if why in ("age", "size") else f"mark :{why}"
