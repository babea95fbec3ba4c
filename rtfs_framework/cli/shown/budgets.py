"""Budgets and reservations as tables and as JSON."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from rtfs_framework.cli.shown.cells import clean
from rtfs_framework.cli.shown.data import put_json
from rtfs_framework.cli.style import bold
from rtfs_framework.cli.terminal import say
from rtfs_framework.orchestrator.performing.budgets.amounts import KINDS, NANO, Amount, shown

if TYPE_CHECKING:
    from rtfs_framework.orchestrator.performing.budgets.ledger import Reservation
    from rtfs_framework.orchestrator.performing.budgets.overview import Row

_BUDGETS = ("budget", "for", "left", "of", "reserved", "window", "renewed")
_RESERVED = ("id", "budgets", "function", "target", "at most", "state", "age", "run", "process")
_RUN = 12
"""Letters of a run's id, as `rtfs runs list` shows it."""
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400


def show_budgets(rows: list[Row], held: list[Reservation], now: float, *, as_json: bool) -> None:
    """Print budgets and what is reserved."""
    if as_json:
        put_json({"budgets": list(map(row_json, rows)), "reservations": [held_json(each, now) for each in held]})
        return
    if rows:
        _table([_BUDGETS, *map(_row, rows)])
    if rows and held:
        say("")
    if held:
        _table([_RESERVED, *(_held(each, now) for each in held)])
    if not rows and not held:
        say("no budget has been used, and nothing is reserved")


def amount_json(amount: Amount) -> dict[str, Any]:
    """Return an amount as JSON-ready data; dollars as a text, exact to the last digit."""
    return {"usd": _dollars(amount.nano), "tokens": amount.tokens, "calls": amount.calls}


def shown_amount(amount: Amount) -> str:
    """Return an amount for people."""
    return ", ".join(shown(kind, getattr(amount, kind)) for kind in KINDS)


def row_json(row: Row) -> dict[str, Any]:
    """Return what an account counts of one thing, as JSON-ready data."""
    money = row.kind == "nano"
    amounts = {"limit": row.limit, "counted": row.counted, "reserved": row.held, "left": row.left}
    return {
        "budget": row.budget,
        "counts": "usd" if money else row.kind,
        **{name: _dollars(value) if money else value for name, value in amounts.items()},
        "per": row.per,
        "window": row.window,
        "renews": None if row.renews is None else _when(row.renews),
        "for": row.apart,
    }


def held_json(found: Reservation, now: float) -> dict[str, Any]:
    """Return a reservation as JSON-ready data."""
    return {
        "id": found.id,
        "budgets": list(found.budgets),
        "tenant": found.tenant,
        "run": found.run,
        "path": found.path,
        "function": found.symbol,
        "target": found.target,
        "at_most": amount_json(found.bound),
        "said": None if found.said is None else amount_json(found.said),
        "state": state_of(found, now),
        "age": round(now - found.made, 3),
        "process": found.process,
    }


def state_of(found: Reservation, now: float) -> str:
    """Return what became of a reservation, in a word."""
    if found.said is not None:
        return "said"
    if not found.begun:
        return "waiting"
    return "overdue" if found.until < now else "sent"


def _row(row: Row) -> tuple[str, ...]:
    return (
        clean(row.budget),
        clean(", ".join(row.apart.values())),
        shown(row.kind, row.left),
        shown(row.kind, row.limit),
        shown(row.kind, row.held) if row.held else "",
        clean(row.window) or ("each run" if row.per == "run" else "ever"),
        "" if row.renews is None else _when(row.renews),
    )


def _held(found: Reservation, now: float) -> tuple[str, ...]:
    return (
        str(found.id),
        clean(", ".join(found.budgets)),
        clean(found.symbol),
        clean(found.target),
        shown_amount(found.bound),
        state_of(found, now),
        _duration(max(0.0, now - found.made)),
        clean(found.run)[:_RUN],
        clean(found.process),
    )


def _dollars(nano: int) -> str:
    whole, rest = divmod(nano, NANO)
    return f"{whole}.{rest:09d}"


def _when(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, timezone.utc):%Y-%m-%d %H:%M} UTC"


def _duration(seconds: float) -> str:
    for worth, unit in ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "min")):
        if seconds >= worth:
            return f"{seconds / worth:.0f} {unit}"
    return f"{seconds:.0f} s"


def _table(rows: list[tuple[str, ...]]) -> None:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for number, row in enumerate(rows):
        line = "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
        say(bold(line) if number == 0 else line)
