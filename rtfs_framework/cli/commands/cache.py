"""`rtfs cache stats|clear`: the compiled programs that are kept, where they are, and how to forget them."""

from __future__ import annotations

import os

import click

from rtfs_framework.cli.options import config_option, json_option, open_session
from rtfs_framework.cli.shown.data import put_json
from rtfs_framework.cli.terminal import say


@click.group()
def command() -> None:
    """Show or forget the compiled programs that are kept.

    The second run of a program neither parses nor compiles: its code is kept in your cache folder, sealed with a key
    that only you can read. Clearing costs nothing but the next compilation.

    \b
    rtfs cache stats
    rtfs cache clear
    """  # noqa: D301 - click's \b is a backspace


@command.command()
@json_option
@config_option
def stats(*, as_json: bool, config: str | None) -> None:
    """Show how many compiled programs are kept, and where.

    \b
    rtfs cache stats
    rtfs cache stats --json
    """  # noqa: D301 - click's \b is a backspace
    from rtfs_framework.orchestrator.config.folders import cache_dir
    from rtfs_framework.orchestrator.remembering.artifacts import quick

    folder = str(cache_dir(os.environ))
    with open_session(None, config, journal=False) as session:
        kept = session.host.artifacts.stats()
    found = {"folder": folder, "layer": kept is not None, "programs": 0 if kept is None else kept.size}
    found["quick"] = quick.count(folder)
    if as_json:
        put_json(found)
        return
    say(f"folder    {folder}")
    off = "" if kept is not None else "  (no layer of level L4 is installed and on: see `rtfs plugins`)"
    say(f"programs  {found['programs']}{off}")
    say(f"quick     {found['quick']}  (programs that `rtfs eval` runs without looking at anything else)")


@command.command()
@json_option
@config_option
def clear(*, as_json: bool, config: str | None) -> None:
    """Forget every compiled program; the key stays.

    \b
    rtfs cache clear
    """  # noqa: D301 - click's \b is a backspace
    from rtfs_framework.orchestrator.config.folders import cache_dir
    from rtfs_framework.orchestrator.remembering.artifacts import quick

    with open_session(None, config, journal=False) as session:
        programs = session.host.artifacts.clear()
    gone = {"programs": programs, "quick": quick.clear(str(cache_dir(os.environ)))}
    if as_json:
        put_json(gone)
    else:
        say(f"forgot {gone['programs']} programs, {gone['quick']} quick entries")
