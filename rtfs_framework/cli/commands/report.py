"""`rtfs report RUN`: one run as one HTML file with charts."""

from __future__ import annotations

from pathlib import Path

import click

from rtfs_framework.cli.commands.ui import require_extra
from rtfs_framework.cli.journals import journal
from rtfs_framework.cli.options import config_option, json_option
from rtfs_framework.cli.output import write_text
from rtfs_framework.cli.shown.data import put_json
from rtfs_framework.cli.terminal import say

_ID = 12


@click.command()
@click.argument("run", default="last")
@click.option("--out", metavar="FILE", help="Where to write it (default: rtfs-RUN.html here).")
@json_option
@config_option
def command(run: str, *, out: str | None, as_json: bool, config: str | None) -> None:
    """Write a run as one HTML file: its calls in time, cost by target, latency, cache hits, and why each went there.

    The file needs nothing else and has no script. Arguments and replies are not in it, even where the
    journal keeps them (`rtfs runs export` has them): names, figures, reasons and errors are, as the journal has them.
    RUN is an id, the beginning of one, or `last`. It needs `pip install 'rtfs-framework[ui]'`.

    \b
    rtfs report
    rtfs report 3f1c --out triage.html
    rtfs report last --json
    """  # noqa: D301 - click's \b is a backspace
    require_extra("a report", ("jinja2",))
    from rtfs_framework.cli.ui.report import report

    made = report(journal(config), run)
    path = Path(out or f"rtfs-{made.run[:_ID]}.html")
    write_text(path, made.html, private=True)
    size = len(made.html.encode())
    if as_json:
        told = {"file": str(path), "bytes": size, "run": made.run, "calls": made.calls, "listed": made.shown}
        put_json({**told, "targets": made.sums})
    else:
        say(f"{path}: run {made.run[:_ID]}, {made.calls:,} call{'' if made.calls == 1 else 's'}, {size:,} bytes")
