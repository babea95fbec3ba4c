"""`rtfs health list|reset`: which models are left alone and why, and saying that one is well again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from rtfs_framework.cli.options import config_option, json_option, open_session
from rtfs_framework.cli.shown.columns import age, say_table
from rtfs_framework.cli.shown.data import put_json
from rtfs_framework.cli.terminal import say

if TYPE_CHECKING:
    from rtfs_framework.orchestrator.performing.health.overview import TargetHealth

_HEAD = ("target", "state", "since", "next probe", "p50", "p95", "why")


@click.group()
def command() -> None:
    """Show which models are left alone because they failed, or say that one is well again.

    States are shared by all your processes. A model comes back by itself as soon as it answers a probe.

    \b
    rtfs health list
    rtfs health reset remote-big
    """  # noqa: D301 - click's \b is a backspace


@command.command("list")
@json_option
@config_option
def show(*, as_json: bool, config: str | None) -> None:
    """Show the state of every model's breaker, and how long the model takes.

    \b
    rtfs health list
    rtfs health list --json
    """  # noqa: D301 - click's \b is a backspace
    from rtfs_framework.orchestrator.performing.health.overview import overview

    with open_session(None, config, journal=False) as session:
        found = overview(session.host.health)
    if as_json:
        put_json({"targets": list(map(health_json, found))})
    elif found:
        say_table([_HEAD, *map(_row, found)])
    else:
        say("no model is configured whose requests may have to wait")


@command.command()
@click.argument("targets", nargs=-1)
@json_option
@config_option
def reset(*, targets: tuple[str, ...], as_json: bool, config: str | None) -> None:
    """Say that models are well again: all, or those named. Requests to them pass at once.

    \b
    rtfs health reset
    rtfs health reset remote-big
    """  # noqa: D301 - click's \b is a backspace
    from rtfs_framework.lang.diagnostics import did_you_mean
    from rtfs_framework.orchestrator.performing.health.overview import reset as close_breakers

    with open_session(None, config, journal=False) as session:
        board = session.host.health
        known = sorted(watched.text for watched in board.all.values())
        for text in targets:
            if text not in known:
                way_out = did_you_mean(text, known) or f"known: {', '.join(known) or 'none'}"
                raise click.UsageError(f"'{text}' is no model that may be left alone; {way_out}")
        closed = close_breakers(board, targets)
        shared = board.shared.works
    if as_json:
        put_json({"reset": closed, "shared": shared})
    else:
        say(f"closed again: {', '.join(closed)}" if closed else "nothing to reset: no model is left alone")


def health_json(found: TargetHealth) -> dict[str, Any]:
    """Return one target's signals as JSON-ready data. Times are seconds."""
    latency = found.latency
    return {
        "target": found.target,
        "state": found.state.value,
        "age": found.age,
        "probe_in": found.probe_in,
        "p50": None if latency is None else latency.p50,
        "p95": None if latency is None else latency.p95,
        "reason": found.reason,
    }


def _row(found: TargetHealth) -> tuple[str, ...]:
    latency = found.latency
    return (
        found.target,
        found.state.value,
        "" if found.age is None else f"{age(found.age)} ago",
        "" if found.probe_in is None else f"in {age(found.probe_in)}",
        "" if latency is None else f"{latency.p50:.3g} s",
        "" if latency is None else f"{latency.p95:.3g} s",
        found.reason,
    )
