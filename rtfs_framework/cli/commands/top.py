"""`rtfs top`: models, their rates and breakers, and budgets, as they are now, until Ctrl-C."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import attrs
import click

from rtfs_framework.api.units import duration
from rtfs_framework.cli.ledgers import ledger_of
from rtfs_framework.cli.options import config_option, environment, json_option, open_session
from rtfs_framework.cli.shown.budgets import row_json
from rtfs_framework.cli.shown.cells import clean
from rtfs_framework.cli.shown.data import put_json
from rtfs_framework.cli.shown.words import money
from rtfs_framework.cli.style import bold
from rtfs_framework.cli.terminal import say
from rtfs_framework.orchestrator.config.colour import colour_for, is_terminal

if TYPE_CHECKING:
    from rtfs_framework.orchestrator.performing.budgets.overview import Row
    from rtfs_framework.orchestrator.performing.health.overview import TargetHealth
    from rtfs_framework.orchestrator.recording.journal.lately import Lately
    from rtfs_framework.orchestrator.session import Session

_TARGETS = ("target", "state", "calls", "per s", "failed", "memory", "mean", "p95", "cost", "why")
_BUDGETS = ("budget", "for", "left", "of", "reserved")
_MOST_SECONDS = 7 * 86_400.0


class _Stretch(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    """A stretch of time; its value is seconds."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        found = value if isinstance(value, float) else duration(str(value))
        if found is None or not 0 < found <= _MOST_SECONDS:
            self.fail(f"{value!r} is no stretch of time such as 60s, 5min or 1h (7d at most)", param, ctx)
        return found


@attrs.frozen(slots=True, kw_only=True)
class Seen:
    """What there is to see at one moment."""

    seconds: float
    """Within which calls count."""
    health: dict[str, TargetHealth]
    """By target."""
    calls: dict[str, Lately]
    budgets: list[Row]

    @property
    def targets(self) -> list[str]:
        """All of them, the busiest first."""
        return [*self.calls, *(each for each in self.health if each not in self.calls)]

    def to_json(self) -> dict[str, Any]:
        """Return JSON-ready data."""
        return {
            "seconds": self.seconds,
            "targets": [self._target(each) for each in self.targets],
            "budgets": [row_json(row) for row in self.budgets],
        }

    def _target(self, name: str) -> dict[str, Any]:
        health, calls = self.health.get(name), self.calls.get(name)
        return {
            "target": name,
            "state": None if health is None else health.state.value,
            "reason": "" if health is None else health.reason,
            "p50": None if health is None or health.latency is None else health.latency.p50,
            "p95": None if health is None or health.latency is None else health.latency.p95,
            **({} if calls is None else calls.to_json()),
        }


@click.command()
@click.option("--window", type=_Stretch(), default="60s", show_default=True, metavar="TIME", help="What counts.")
@click.option("--every", type=_Stretch(), default="2s", show_default=True, metavar="TIME", help="Look again so often.")
@click.option("--once", is_flag=True, help="Show it once (so it is, too, where stdout is no terminal).")
@json_option
@config_option
def command(*, window: float, every: float, once: bool, as_json: bool, config: str | None) -> None:
    """Watch models and budgets: calls, rates, failures, costs, breakers, what is left. Ctrl-C ends it.

    Calls are those of all processes that write this journal; breakers and budgets are shared by all of yours.

    \b
    rtfs top
    rtfs top --window 5min
    rtfs top --once --json
    """  # noqa: D301 - click's \b is a backspace
    with open_session(None, config, journal=False) as session:
        if as_json:
            put_json(_look(session, window).to_json())
        elif once or not is_terminal(sys.stdout):
            _say(_look(session, window))
        else:
            _watch(session, window, every)


def _look(session: Session, window: float) -> Seen:
    from rtfs_framework.api.targets import show_target
    from rtfs_framework.orchestrator.config.folders import journal_path
    from rtfs_framework.orchestrator.performing.budgets.overview import rows_of
    from rtfs_framework.orchestrator.performing.health.overview import overview
    from rtfs_framework.orchestrator.recording.journal.lately import lately

    host = session.host
    now, path = host.clock.now(), journal_path(environment(), host.config.journal.path)
    with ledger_of(session) as ledger:
        budgets = rows_of(host.config.budgets, ledger, now)
    named = {watched.text: show_target(target) for target, watched in host.health.all.items()}
    health = {named[each.target]: each for each in overview(host.health)}
    calls = lately(path, now - window) if path.exists() else {}
    return Seen(seconds=window, health=health, calls=calls, budgets=budgets)


def _tables(seen: Seen) -> Iterator[list[tuple[str, ...]]]:
    """Yield the tables, each with its head."""
    yield [_TARGETS, *(_row(seen, each) for each in seen.targets)]
    if seen.budgets:
        yield [_BUDGETS, *map(_budget, seen.budgets)]


def _row(seen: Seen, name: str) -> tuple[str, ...]:
    health, calls = seen.health.get(name), seen.calls.get(name)
    latency = None if health is None else health.latency
    if calls is None:
        counts: tuple[str, ...] = ("", "", "", "", "")
        cost = ""
    else:
        counts = (
            f"{calls.calls:,}",
            f"{calls.calls / seen.seconds:.3g}",
            f"{calls.failed:,}",
            f"{calls.from_memory:,}",
            f"{calls.seconds / calls.calls:.3g} s",
        )
        cost = money(calls.cost, calls.unpriced)
    p95 = "" if latency is None else f"{latency.p95:.3g} s"
    state, why = ("", "") if health is None else (health.state.value, health.reason)
    return clean(name), state, *counts, p95, cost, clean(why)


def _budget(row: Row) -> tuple[str, ...]:
    from rtfs_framework.orchestrator.performing.budgets.amounts import shown

    apart = ", ".join(f"{name} {value}" for name, value in row.apart.items())
    return row.budget, clean(apart), shown(row.kind, row.left), shown(row.kind, row.limit), shown(row.kind, row.held)


def _say(seen: Seen) -> None:
    for number, rows in enumerate(_tables(seen)):
        if number:
            say("")
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        for place, row in enumerate(rows):
            line = "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
            say(line if place else bold(line))


def _watch(session: Session, window: float, every: float) -> None:
    """Show it again and again, on a screen of its own."""
    from rich.console import Console
    from rich.live import Live

    console = Console(force_terminal=True, no_color=not colour_for(sys.stdout), highlight=False)
    try:
        with Live(_drawn(_look(session, window)), console=console, screen=True, auto_refresh=False) as live:
            while True:
                time.sleep(every)
                live.update(_drawn(_look(session, window)), refresh=True)
    except KeyboardInterrupt:
        return


def _drawn(seen: Seen) -> Any:
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    parts: list[Any] = [Text(f"calls of the last {seen.seconds:g} s; Ctrl-C ends this", style="dim")]
    for head, *rows in _tables(seen):
        table = Table(*head, box=None, pad_edge=False, header_style="bold")
        for row in rows:
            table.add_row(*(Text(cell) for cell in row))
        parts.append(table)
    return Group(*parts)
