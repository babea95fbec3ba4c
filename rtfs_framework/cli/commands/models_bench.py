"""`rtfs models bench`: a bounded measurement of models, which asks before it costs money."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from rtfs_framework.cli.faults import FAILED, FINE
from rtfs_framework.cli.options import config_option, json_option, open_session
from rtfs_framework.cli.shown.columns import say_table
from rtfs_framework.cli.shown.data import put_json
from rtfs_framework.cli.shown.models import chosen
from rtfs_framework.cli.shown.progress import Progress, wanted
from rtfs_framework.cli.shown.words import money
from rtfs_framework.cli.terminal import complain
from rtfs_framework.orchestrator.config.colour import is_terminal

if TYPE_CHECKING:
    from rtfs_framework.orchestrator.performing.benching import Measurement
    from rtfs_framework.orchestrator.performing.providers import ProviderInstance
    from rtfs_framework.orchestrator.session import Session

_HEAD = ("target", "model", "first", "warm", "tokens/s in", "tokens/s out", "cost", "")


@click.command("bench")
@click.argument("targets", nargs=-1, required=True)
@click.option(
    "--seconds",
    type=click.FloatRange(min=1, max=3600),
    default=60.0,
    show_default=True,
    metavar="N",
    help="Of each model: what is not measured by then is left out.",
)
@click.option("--yes", is_flag=True, help="Do not ask, whatever it costs.")
@click.option("--progress/--no-progress", default=None, help="Show how far it is (default: on a terminal).")
@json_option
@config_option
def bench_command(
    *, targets: tuple[str, ...], seconds: float, yes: bool, progress: bool | None, as_json: bool, config: str | None
) -> int:
    """Measure models: the first call, warm calls, tokens per second in and out. Eight requests of a few tokens each.

    They pass guards, budgets and rates like any requests, and stand in the journal. Before any of them may cost money
    you are asked, with what it is at most; where nobody can be asked, --yes must say so.

    \b
    rtfs models bench local-llama
    rtfs models bench remote-openai --yes --json
    """  # noqa: D301 - click's \b is a backspace
    with open_session(None, config) as session:
        instances = chosen(session.host.pool, targets)
        if not yes:
            _ask(instances)
        found = _measured(session, instances, seconds, shown=wanted(progress) and not as_json)
    if as_json:
        put_json({"models": [each.plain() for each in found]})
    else:
        say_table([_HEAD, *map(_row, found)])
    for each in found:
        if each.failed is not None and not as_json:
            complain(f"{each.target}: {each.failed.value.message}")
    return FAILED if any(each.failed is not None for each in found) else FINE


def _ask(instances: list[ProviderInstance]) -> None:
    """Ask whether it may cost what it may cost; nothing where that is nothing.

    Raises:
        click.Abort: It may not.
        click.UsageError: Nobody can be asked.
    """
    from rtfs_framework.orchestrator.config.routes import target_text
    from rtfs_framework.orchestrator.performing.benching import most_cost

    costs = {target_text(each.target): most_cost(each) for each in instances}
    dear = {text: cost for text, cost in costs.items() if cost is None or cost > 0}
    if not dear:
        return
    words = (
        f"{text} (at most {money(cost)})" if cost is not None else f"{text} (no price is known)"
        for text, cost in dear.items()
    )
    told = f"this sends requests that may cost money: {', '.join(words)}"
    if not is_terminal(sys.stdin):
        raise click.UsageError(f"{told}; say --yes")
    complain(told)
    click.confirm("go on?", abort=True, err=True)


def _measured(session: Session, instances: list[ProviderInstance], seconds: float, *, shown: bool) -> list[Measurement]:
    import asyncio

    from rtfs_framework.orchestrator.config.routes import target_text
    from rtfs_framework.orchestrator.performing.benching import SYMBOL, Bench, Measurement, steps
    from rtfs_framework.orchestrator.performing.own_calls import OwnCalls

    host, found = session.host, list[Measurement]()
    calls = OwnCalls(
        symbol=SYMBOL,
        events=host.events,
        tenant=host.config.tenant,
        begin=lambda run: host.begin(run, "", "rtfs models bench", run),
    )
    each_takes, done, status = sum(1 for _ in steps()), 0, "failed"
    try:
        with Progress(shown, each_takes * len(instances), lambda: done, "requests") as bar:

            def tell(answered: int) -> None:
                nonlocal done
                done = len(found) * each_takes + answered
                bar.update(done)

            bench = Bench(models=host.dispatcher.models, calls=calls, clock=host.clock, tell=tell)
            for instance in instances:
                found += [asyncio.run(bench.measure(instance, target_text(instance.target), seconds))]
        status = "complete"
    finally:
        calls.end(status)
    return found


def _row(found: Measurement) -> tuple[str, ...]:
    def shown(number: float | None, unit: str = "") -> str:
        return "" if number is None else f"{number:.3g}{unit}"

    return (
        found.target,
        found.model,
        shown(found.first, " s"),
        shown(found.warm, " s"),
        shown(found.input_rate),
        shown(found.output_rate),
        "?" if found.cost is None else money(found.cost),
        found.ended,
    )
