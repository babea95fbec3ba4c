"""`rtfs prices show|list`: what models cost, who says so, and from which day."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from rtfs_framework.cli.faults import CommandLineError
from rtfs_framework.cli.options import config_option, environment, json_option, open_session
from rtfs_framework.cli.problems import BAD_CHOICE
from rtfs_framework.cli.shown.data import put_json
from rtfs_framework.cli.style import bold
from rtfs_framework.cli.terminal import say
from rtfs_framework.lang.diagnostics import did_you_mean
from rtfs_framework.lang.visible import visible_line

if TYPE_CHECKING:
    from rtfs_framework.orchestrator.config.model import ProviderSpec
    from rtfs_framework.orchestrator.session import Session

_NUMBERS = ("input", "output", "cached", "context")
_INSTALL = "`pip install rtfs-data-prices` brings the prices of some two thousand models"
_NEAR = 3


@click.group()
def command() -> None:
    """Show what models cost, in US dollars per million tokens, who says so, and from which day.

    What the configuration says goes first: `input_cost` and `output_cost` of a provider, then `[prices]`; then comes
    the installed list of prices (rtfs-data-prices). What nobody says is `?`, which is never counted as nothing.

    \b
    rtfs prices show gpt-4o-mini
    rtfs prices list claude
    """  # noqa: D301 - click's \b is a backspace


@command.command("show")
@click.argument("model")
@json_option
@config_option
def show_command(model: str, *, as_json: bool, config: str | None) -> None:
    """Show the prices of MODEL: as providers here use it, and as vendors sell it. `VENDOR/MODEL` names one vendor's.

    \b
    rtfs prices show gpt-4o-mini
    rtfs prices show openai/gpt-4o-mini --json
    """  # noqa: D301 - click's \b is a backspace
    with open_session(None, config, journal=False) as session:
        used = [_used(spec) for spec in session.host.config.providers if _is_meant(spec, model)]
        rows, source = _listed(session)
    wanted = model.lower()
    known = [row for row in rows if wanted in {row["model"].lower(), f"{row['vendor']}/{row['model']}".lower()}]
    if not used and not known:
        near = did_you_mean(model, [row["model"] for row in rows])
        way_out = near or (f"`rtfs prices list {model[:_NEAR]}` shows what is close" if source else _INSTALL)
        raise CommandLineError(BAD_CHOICE, f"nobody says what '{visible_line(model)}' costs", way_out)
    _put({"model": model, "source": source, "used": used, "listed": known}, as_json=as_json)


@command.command("list")
@click.argument("text", required=False, default="")
@json_option
@config_option
def list_command(text: str, *, as_json: bool, config: str | None) -> None:
    """List prices: of the providers here, then of the models whose vendor or name has TEXT in it (all without it).

    \b
    rtfs prices list
    rtfs prices list llama-3.3
    rtfs prices list anthropic/ --json
    """  # noqa: D301 - click's \b is a backspace
    with open_session(None, config, journal=False) as session:
        used = [_used(spec) for spec in session.host.config.providers if spec.model or _said(spec)]
        rows, source = _listed(session)
    known = [row for row in rows if text.lower() in f"{row['vendor']}/{row['model']}".lower()]
    if text and not known:
        raise CommandLineError(
            BAD_CHOICE,
            f"no model that is listed has '{visible_line(text)}' in its name" if source else "no prices are installed",
            "use fewer letters; `rtfs prices list` shows all" if source else _INSTALL,
        )
    _put({"source": source, "used": used, "listed": known}, as_json=as_json)


def _listed(session: Session) -> tuple[list[dict[str, Any]], str | None]:
    """Return what the installed list knows, and its name; nothing where there is none."""
    from rtfs_framework.orchestrator.config.folders import cache_dir
    from rtfs_framework.orchestrator.performing.prices import Prices, today

    host = session.host
    if host.catalog.prices is None:
        return [], None
    environ = environment()
    prices = Prices(host.catalog.prices, lambda: cache_dir(environ), today(host.clock.now()), host.events.plugin_failed)
    rows = [
        {
            "vendor": vendor,
            "model": found.model,
            "input": found.input,
            "output": found.output,
            "cached": found.cached,
            "request": found.request,
            "steps": [
                {"above": each.above, "input": each.input, "output": each.output, "cached": each.cached}
                for each in found.steps
            ],
            "context": found.context_window,
            "source": found.source,
            "dated": found.dated,
        }
        for vendor, found in prices.every()
    ]
    return rows, prices.known().source


def _said(spec: ProviderSpec) -> bool:
    return spec.input_cost is not None or spec.output_cost is not None


def _is_meant(spec: ProviderSpec, model: str) -> bool:
    from rtfs_framework.orchestrator.config.tables.prices import names

    return model.lower() in {name.lower() for name in (spec.id, *names(spec))}


def _used(spec: ProviderSpec) -> dict[str, Any]:
    """Return the prices that calls of a provider are counted with."""
    from rtfs_framework.orchestrator.config.routes import target_text

    said = "" if spec.priced_by or not _said(spec) else "the configuration"
    return {
        "target": target_text(spec.target),
        "model": spec.model,
        "input": spec.input_cost,
        "output": spec.output_cost,
        "cached": spec.cached_cost,
        "request": spec.request_cost,
        "context": spec.context_window,
        "source": spec.priced_by or said,
    }


def _put(found: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        put_json(found)
        return
    for part, rows, first in (("used here", found["used"], "target"), (found["source"], found["listed"], "vendor")):
        if rows:
            say(bold(part))
            for line in _table(rows, first):
                say(line)
    if found["source"] is None:
        say(f"no list of prices is installed: {_INSTALL}")


def _table(rows: list[dict[str, Any]], first: str) -> Iterator[str]:
    who = "source" if first == "target" else "dated"
    cells = [["", "", *_NUMBERS, ""]]
    cells += [[row[first], row["model"], *(_number(row[name]) for name in _NUMBERS), _note(row, who)] for row in rows]
    widths = [max(len(line[column]) for line in cells) for column in range(len(cells[0]))]
    for line in cells:
        texts = [
            f"{text:>{width}}" if 2 <= column < 2 + len(_NUMBERS) else f"{text:<{width}}"
            for column, (text, width) in enumerate(zip(line, widths, strict=True))
        ]
        yield visible_line(f"  {'  '.join(texts)}".rstrip())


def _note(row: dict[str, Any], who: str) -> str:
    """Return who says a price or since when, and what else is paid."""
    steps = [f"dearer above {each['above']:,} tokens" for each in row.get("steps", [])[:1]]
    request = [f"and ${row['request']:g} a request"] if row["request"] else []
    return "; ".join(filter(None, [row[who], *request, *steps]))


def _number(value: float | None) -> str:
    if value is None:
        return "?"
    return f"{value:,}" if isinstance(value, int) else f"{value:g}"
