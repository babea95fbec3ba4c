"""`rtfs queue list|show|cancel|retry|count`: what waits in the durable queue, and what became of it."""

from __future__ import annotations

import click

from rtfs_framework.cli.shown.queued import commands


@click.group()
def command() -> None:
    """Show and change what waits in the durable queue: runs of `rtfs run --queued`, and tickets.

    ID is an item's id, or the beginning of one. `rtfs worker` does what waits.

    \b
    rtfs queue list --state queued
    rtfs queue show 3f1c
    """  # noqa: D301 - click's \b is a backspace


for each in commands(None):
    command.add_command(each)
