"""`rtfs runs rate RUN CALL good|bad|0.7`: what the answer of a call was worth."""

from __future__ import annotations

import click

from rtfs_framework.cli.options import config_option, json_option, open_session
from rtfs_framework.cli.shown.data import put_json
from rtfs_framework.cli.terminal import say

_ID = 12


@click.command("rate")
@click.argument("run")
@click.argument("call")
@click.argument("value")
@json_option
@config_option
def rate_command(run: str, call: str, value: str, *, as_json: bool, config: str | None) -> None:
    """Say what the answer of a call was worth: good, bad, or a number from 0 to 1. Engines that learn hear it.

    CALL is an id as `rtfs runs show` prints it. Each word counts: who says two is heard twice.

    \b
    rtfs runs rate last 1:0 good
    rtfs runs rate last 1:0 0.7
    """  # noqa: D301 - click's \b is a backspace
    from rtfs_framework.orchestrator.explaining.rating import rate
    from rtfs_framework.orchestrator.learning.overview import caught_up
    from rtfs_framework.orchestrator.recording.journal.feedback import checked_value
    from rtfs_framework.orchestrator.recording.journal.query import find_run

    try:
        worth = checked_value(value)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="VALUE") from error
    with open_session(None, config) as session:
        host = session.host
        if host.journal is None:
            raise click.UsageError("[journal] is off: nothing is known of earlier runs")
        named = find_run(host.journal.path, run)
        rate(host, named, call, worth, "person")
        caught_up(host.learning)
    if as_json:
        put_json({"run": named, "call": call, "value": worth})
    else:
        say(f"{named[:_ID]} {call}: rated {worth:g}")
