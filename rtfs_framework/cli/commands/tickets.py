"""`rtfs tickets list|show|cancel|retry|count`: calls that are answered later, and what became of them."""

from __future__ import annotations

import click

from rtfs_framework.cli.shown.queued import commands


@click.group()
def command() -> None:
    """Show and change calls that are answered later. ID is RUN/CALL, or the beginning of one.

    \b
    rtfs tickets list --state dead
    rtfs tickets retry 3f1c
    """  # noqa: D301 - click's \b is a backspace


for each in commands("tickets"):
    command.add_command(each)
