"""`rtfs budget list|show|settle|release`: what is left, what is reserved, and saying what a request really took."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from rtfs_framework.cli.ledgers import ledger_of
from rtfs_framework.cli.options import config_option, json_option, open_session
from rtfs_framework.cli.problems import USAGE, problem
from rtfs_framework.cli.shown.data import put_json
from rtfs_framework.cli.terminal import say

if TYPE_CHECKING:
    from rtfs_framework.orchestrator.performing.budgets.amounts import Amount
    from rtfs_framework.orchestrator.performing.budgets.ledger import Ledger, Reservation

NO_RESERVATION = "E0916"
_MOST_DIGITS = 18
"""Of a reservation's number: SQLite's integers end soon after."""
_ID = click.IntRange(min=1, max=10**_MOST_DIGITS)


@click.group()
def command() -> None:
    """Show what is left of budgets and what is reserved, or say what a request really took.

    A request whose process died after it was sent counts in full until somebody says less.

    \b
    rtfs budget list
    rtfs budget settle 17 --usd 0.02
    """  # noqa: D301 - click's \b is a backspace


@command.command("list")
@json_option
@config_option
def show_all(*, as_json: bool, config: str | None) -> None:
    """Show every budget: what is left of it, what is reserved, and when it is renewed.

    \b
    rtfs budget list
    rtfs budget list --tenant acme --json
    """  # noqa: D301 - click's \b is a backspace
    from rtfs_framework.cli.shown.budgets import show_budgets
    from rtfs_framework.orchestrator.performing.budgets.overview import rows_of

    with open_session(None, config, journal=False) as session, ledger_of(session) as ledger:
        now = session.host.clock.now()
        rows = rows_of(session.host.config.budgets, ledger, now)
        show_budgets(rows, [] if ledger is None else ledger.open(), now, as_json=as_json)


@command.command()
@click.argument("which", metavar="BUDGET|ID")
@json_option
@config_option
def show(which: str, *, as_json: bool, config: str | None) -> None:
    """Show one budget, or one reservation by its number.

    \b
    rtfs budget show daily
    rtfs budget show 17 --json
    """  # noqa: D301 - click's \b is a backspace
    from rtfs_framework.cli.shown.budgets import show_budgets
    from rtfs_framework.lang.diagnostics import did_you_mean
    from rtfs_framework.orchestrator.performing.budgets.overview import rows_of

    with open_session(None, config, journal=False) as session, ledger_of(session) as ledger:
        now, specs = session.host.clock.now(), session.host.config.budgets
        chosen = tuple(each for each in specs if each.name == which)
        if chosen:
            held = [] if ledger is None else [each for each in ledger.open() if which in each.budgets]
            show_budgets(rows_of(chosen, ledger, now), held, now, as_json=as_json)
            return
        if not which.isdecimal() or len(which) > _MOST_DIGITS:
            known = [each.name for each in specs]
            way_out = did_you_mean(which, known) or f"budgets here: {', '.join(known) or 'none'}"
            raise click.UsageError(f"no budget is called '{which}'; {way_out}")
        show_budgets([], [_found(ledger, int(which))], now, as_json=as_json)


@command.command()
@click.argument("ids", metavar="ID...", nargs=-1, required=True, type=_ID)
@click.option("--usd", metavar="X", help="US dollars that each of them took.")
@click.option("--tokens", type=click.IntRange(0, 10**18), metavar="N", help="Tokens that each of them took.")
@json_option
@config_option
def settle(ids: tuple[int, ...], *, usd: str | None, tokens: int | None, as_json: bool, config: str | None) -> None:
    """Say what requests took that are still reserved in full; what is not said stays as it is reserved.

    Should the process live and learn what it was, that counts.

    \b
    rtfs budget settle 17 --usd 0.02 --tokens 1200
    """  # noqa: D301 - click's \b is a backspace
    from rtfs_framework.orchestrator.performing.budgets.amounts import Amount

    if usd is None and tokens is None:
        raise click.UsageError("say what they took: --usd X, --tokens N, or both (`rtfs budget release`: nothing)")
    nano = None if usd is None else _nano(usd)

    def took(found: Reservation) -> Amount:
        bound = found.bound
        return Amount(bound.nano if nano is None else nano, bound.tokens if tokens is None else tokens, bound.calls)

    _say(ids, took, config, as_json=as_json)


@command.command()
@click.argument("ids", metavar="ID...", nargs=-1, required=True, type=_ID)
@json_option
@config_option
def release(ids: tuple[int, ...], *, as_json: bool, config: str | None) -> None:
    """Say that requests took nothing: all that is reserved for them is given back.

    \b
    rtfs budget release 17 18
    """  # noqa: D301 - click's \b is a backspace
    from rtfs_framework.orchestrator.performing.budgets.amounts import Amount

    _say(ids, lambda _: Amount(), config, as_json=as_json)


def _say(ids: tuple[int, ...], took: Callable[[Reservation], Amount], config: str | None, *, as_json: bool) -> None:
    from rtfs_framework.cli.shown.budgets import amount_json, shown_amount

    with open_session(None, config, journal=False) as session, ledger_of(session) as ledger:
        found = [_found(ledger, each) for each in dict.fromkeys(ids)]  # all of them, before any is changed
        for each in found:
            _refuse_more(each, took(each))
        said = [None if ledger is None else ledger.say(each.id, took(each)) for each in found]
    done = [(each.id, each.said) for each in said if each is not None and each.said is not None]
    if as_json:
        put_json({"settled": [{"id": number, **amount_json(amount)} for number, amount in done]})
        return
    for number, amount in done:
        say(f"reservation {number} counts as {shown_amount(amount)}")


def _refuse_more(found: Reservation, took: Amount) -> None:
    from rtfs_framework.cli.shown.budgets import shown_amount

    bound = found.bound
    if took.nano > bound.nano or took.tokens > bound.tokens:
        raise click.UsageError(
            f"reservation {found.id} was made for at most {shown_amount(bound)}, so it cannot have taken more"
        )


def _found(ledger: Ledger | None, number: int) -> Reservation:
    found = None if ledger is None else ledger.find(number)
    if found is None:
        message = f"there is no reservation {number}, or it was settled"
        raise problem(NO_RESERVATION, message, "`rtfs budget list` shows what is reserved", exit_code=USAGE)
    return found


def _nano(text: str) -> int:
    from decimal import Decimal, InvalidOperation

    from rtfs_framework.orchestrator.performing.budgets.amounts import MOST, nano_of

    try:
        found = Decimal(text)
        if found.is_finite() and 0 <= found * 10**9 <= MOST:
            return nano_of(found)
    except InvalidOperation:
        pass
    raise click.BadParameter(f"'{text}' is no amount of US dollars, such as 0.02", None, None, "--usd")
