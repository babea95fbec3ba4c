"""`rtfs cost`: who spent what, from the journal."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import attrs
import click

from rtfs_framework.cli.faults import CommandLineError
from rtfs_framework.cli.journals import journal
from rtfs_framework.cli.options import config_option, json_option
from rtfs_framework.cli.problems import BAD_CHOICE
from rtfs_framework.cli.shown.data import put_json
from rtfs_framework.cli.shown.progress import Progress, wanted
from rtfs_framework.cli.shown.words import money
from rtfs_framework.cli.style import bold
from rtfs_framework.cli.terminal import say
from rtfs_framework.lang.diagnostics import did_you_mean
from rtfs_framework.lang.visible import visible_line

if TYPE_CHECKING:
    from rtfs_framework.orchestrator.recording.journal.spending import Spent

_NUMBERS = ("calls", "failed", "from memory", "tokens in", "tokens out", "cost", "saved")


@click.command()
@click.option("--since", metavar="WHEN", default="7d", show_default=True, help="7d, 24h, 2026-11-01, or `all`.")
@click.option(
    "--by",
    metavar="WORDS",
    default="model",
    show_default=True,
    help="tenant, model, function, day, engine, target, run: one, or several with commas.",
)
@click.option("--progress/--no-progress", default=None, help="Show how far it is (default: on a terminal).")
@json_option
@config_option
def command(*, since: str, by: str, progress: bool | None, as_json: bool, config: str | None) -> None:
    """Show who spent what on models, from the journal: requests, tokens, money, and what answers from memory saved.

    Consultations and attempts that failed count where they went. Where what a request cost is not known, the sum is
    "at least" what is.

    \b
    rtfs cost
    rtfs cost --since 7d --by tenant,model,function
    rtfs cost --since 2026-11-01 --by day --json
    """  # noqa: D301 - click's \b is a backspace
    from rtfs_framework.orchestrator.recording.journal.spending import spending, total

    words = _words(by)
    start = _start(since)
    path = journal(config)
    with Progress(wanted(progress), None, lambda: 0, "rows") as bar:
        groups = spending(path, words, start, bar.update) if path.exists() else {}
    whole = total(groups.values())
    if as_json:
        rows = [{**dict(zip(words, group, strict=True)), **_data(spent)} for group, spent in groups.items()]
        put_json({"journal": str(path), "since": start, "by": list(words), "rows": rows, "total": _data(whole)})
        return
    if not groups:
        say(f"no requests to models{'' if start is None else f' since {since}'} in {path}")
        return
    head, *lines = _table(words, groups, whole)
    say(bold(head))
    for line in lines:
        say(line)
    if whole.unknown:
        what = "1 request has" if whole.unknown == 1 else f"{whole.unknown:,} requests have"
        say(f"at least: {what} no price or no count of tokens (see `rtfs prices`)")


def _words(by: str) -> tuple[str, ...]:
    from rtfs_framework.orchestrator.recording.journal.spending import DIMENSIONS

    words = tuple(dict.fromkeys(word.strip() for word in by.split(",") if word.strip()))
    for word in words:
        if word not in DIMENSIONS:
            way_out = did_you_mean(word, DIMENSIONS) or f"one or several of {', '.join(DIMENSIONS)}"
            raise CommandLineError(BAD_CHOICE, f"nothing can be grouped by '{visible_line(word)}'", way_out)
    if not words:
        raise CommandLineError(BAD_CHOICE, "--by names nothing", f"one or several of {', '.join(DIMENSIONS)}")
    return words


def _start(since: str) -> float | None:
    """Return from when on requests count (seconds since the epoch), None for all of them."""
    from rtfs_framework.api.units import duration

    if since == "all":
        return None
    seconds = duration(since)
    if seconds is not None:
        return time.time() - seconds
    try:
        return datetime.combine(date.fromisoformat(since), datetime.min.time()).astimezone().timestamp()
    except (ValueError, OverflowError, OSError) as error:
        message = f"'{visible_line(since)}' is no time"
        raise CommandLineError(BAD_CHOICE, message, 'such as 7d, "24 h", 2026-11-01, or all') from error


def _data(spent: Spent) -> dict[str, Any]:
    """Return a group as JSON-ready data; what is not known as a whole is null."""
    found = attrs.asdict(spent)
    return {
        **found,
        "cost": None if spent.unknown else spent.cost,
        "known_cost": spent.cost,
        "saved": None if spent.unknown_saved else spent.saved,
        "known_saved": spent.saved,
    }


def _table(words: Sequence[str], groups: Mapping[tuple[str, ...], Spent], whole: Spent) -> Iterator[str]:
    names = len(words)
    cells = [[*words, *_NUMBERS]]
    cells += [[*(visible_line(value) or "-" for value in group), *_numbers(spent)] for group, spent in groups.items()]
    if len(groups) > 1:
        cells.append(["total", *[""] * (names - 1), *_numbers(whole)])
    widths = [max(len(line[column]) for line in cells) for column in range(len(cells[0]))]
    for line in cells:
        texts = [
            f"{text:<{width}}" if column < names else f"{text:>{width}}"
            for column, (text, width) in enumerate(zip(line, widths, strict=True))
        ]
        yield "  ".join(texts).rstrip()


def _numbers(spent: Spent) -> list[str]:
    counts = (spent.calls, spent.failed, spent.from_memory, spent.input_tokens, spent.output_tokens)
    return [
        *(f"{each:,}" for each in counts),
        _money(spent.cost, spent.unknown),
        _money(spent.saved, spent.unknown_saved),
    ]


def _money(value: float, unknown: int) -> str:
    """Return dollars; "?" where none are known, and "at least" where some are not."""
    if unknown:
        return f"at least {money(value)}" if value else "?"
    return money(value)
