"""`rtfs cache`: what is kept (compiled programs, replies), where it came from, what it saved, and forgetting it."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import click

from rtfs_framework.cli.commands.cache_experience import forget_experience, is_learned
from rtfs_framework.cli.commands.cache_files import export_command, import_command
from rtfs_framework.cli.commands.cache_verify import verify_command
from rtfs_framework.cli.commands.cache_warm import warm_command
from rtfs_framework.cli.options import config_option, json_option, open_session, trust_option
from rtfs_framework.cli.shown.columns import say_table
from rtfs_framework.cli.shown.data import put_json
from rtfs_framework.cli.shown.kept import (
    NANO,
    UNPAID,
    Entry,
    Wanted,
    entries,
    filters,
    layers,
    of_id,
    require_working,
    saved,
    table,
)
from rtfs_framework.cli.shown.words import money
from rtfs_framework.cli.terminal import say
from rtfs_framework.orchestrator.config.colour import is_terminal

if TYPE_CHECKING:
    from rtfs_framework.orchestrator.session import Session


@click.group()
def command() -> None:
    """Show or forget what is kept: compiled programs, and replies that were paid for.

    The second run of a program neither parses nor compiles, and asks no model again what it was asked before, where
    that is sound. All of it is kept in your cache folder, sealed with a key that only you can read.

    \b
    rtfs cache stats
    rtfs cache list --symbol app/* --older 2h
    rtfs cache invalidate --reply RUN:0:3
    rtfs cache export replies.jsonl
    """  # noqa: D301 - click's \b is a backspace


def _config(function: Any) -> Any:
    """`--config` and `--trust`: here `--tenant` says whose entries are meant."""
    text = "A configuration, laid over yours and the delegation.toml found here."
    return click.option("--config", metavar="FILE", help=text)(trust_option(function))


@command.command()
@json_option
@config_option
def stats(*, as_json: bool, config: str | None) -> None:
    """Show what is kept, where, and how often it was served.

    What was served is counted of the replies that are still kept; what it would have cost, as far as prices are known.

    \b
    rtfs cache stats
    rtfs cache stats --json
    """  # noqa: D301 - click's \b is a backspace
    with open_session(None, config, journal=False) as session:
        found = stats_json(session)
    if as_json:
        put_json(found)
        return
    say(f"folder    {found['folder']}")
    off = "" if found["layer"] else "  (no layer of level L4 is installed and on: see `rtfs plugins`)"
    say(f"programs  {found['programs']}{off}")
    say(f"quick     {found['quick']}  (programs that `rtfs eval` runs without looking at anything else)")
    for name, sizes in found["layers"].items():
        room = "" if sizes["capacity"] is None else f" of {sizes['capacity']:,}"
        taken = f", {sizes['bytes']:,} bytes" if sizes["bytes"] else ""
        away = "  (its server is away: this is what is kept here alone)" if sizes["away"] else ""
        say(f"{name:<9} {sizes['size']:,}{room}{taken}{away}")
    say(f"served    {found['served']:,} replies from memory, which would have cost {money(found['saved'])}")


def stats_json(session: Session) -> dict[str, Any]:
    """Return what is kept, where, and how often it was served, as JSON-ready data. `saved` is US dollars."""
    from rtfs_framework.orchestrator.config.folders import cache_dir
    from rtfs_framework.orchestrator.remembering.artifacts import quick

    folder = str(cache_dir(os.environ))
    kept = session.host.artifacts.stats()
    served, cost = saved(entries(session.host.caches, Wanted()))
    return {
        "folder": folder,
        "layer": kept is not None,
        "programs": 0 if kept is None else kept.size,
        "quick": quick.count(folder),
        "layers": {name: _sizes(counted) for name, counted in session.host.caches.stats().items()},
        "served": served,
        "saved": cost / NANO,
    }


def _sizes(counted: Any) -> dict[str, Any]:
    return {
        "size": counted.size,
        "capacity": counted.capacity,
        "bytes": counted.size_bytes,
        "capacity_bytes": counted.capacity_bytes,
        "away": counted.away,
    }


@command.command("list")
@filters
@json_option
@_config
def list_command(*, as_json: bool, config: str | None, **wanted: Any) -> None:
    """List the replies that are kept, the last used first: id, function, model, cost, and the reply's own id.

    \b
    rtfs cache list
    rtfs cache list --model gpt-4o* --older 2h
    rtfs cache list --reply RUN:0:3 --json
    """  # noqa: D301 - click's \b is a backspace
    with open_session(None, config, journal=False) as session:
        found = entries(session.host.caches, Wanted(**wanted))
    if as_json:
        put_json({"entries": [each.to_json() for each in found]})
    elif found:
        say_table(table(found))
    else:
        say("nothing is kept that fits")


@command.command()
@click.argument("entry")
@click.option("--layer", metavar="NAME", help="Look in this layer alone.")
@json_option
@_config
def show(entry: str, *, layer: str | None, as_json: bool, config: str | None) -> None:
    """Show one kept reply with all that is known of it. ENTRY is its id, or the beginning of it.

    \b
    rtfs cache show 3fa91c
    """  # noqa: D301 - click's \b is a backspace
    with open_session(None, config, journal=False) as session:
        found = of_id(entries(session.host.caches, Wanted(layer=layer)), entry)[0]
    data = {**found.to_json(), "value": found.item.record.value}
    if as_json:
        put_json(data if isinstance(data["value"], str) else {**data, "value": repr(data["value"])})
        return
    for name, value in data.items():
        if value not in ("", (), [], None):
            shown = ", ".join(value) if isinstance(value, tuple | list) else value
            say(f"{name:<11} {shown}")


@command.command()
@click.argument("ids", nargs=-1, metavar="[ENTRY]...")
@filters
@click.option("--dry-run", is_flag=True, help="Only say what would be forgotten.")
@json_option
@_config
def invalidate(ids: tuple[str, ...], *, dry_run: bool, as_json: bool, config: str | None, **wanted: Any) -> None:
    """Forget kept replies: by id, by what is known of them, or one reply and all that came from it.

    With --reply, what may have come from the reply goes too: all that its runs asked for after they were given it.

    \b
    rtfs cache invalidate 3fa91c
    rtfs cache invalidate --reply RUN:0:3
    rtfs cache invalidate --model gpt-4o* --older 7d --dry-run
    """  # noqa: D301 - click's \b is a backspace
    chosen = Wanted(**wanted)
    if not ids and chosen.nothing:
        raise click.UsageError("say which: ids, or options such as --older or --reply; all: `rtfs cache clear`")
    with open_session(None, config, journal=False) as session:
        meant = layers(session.host.caches, chosen.layer)
        found = entries(session.host.caches, chosen)
        if ids:
            require_working(meant, "nothing was forgotten, for nobody can see what lies in")
            found = [entry for each in dict.fromkeys(ids) for entry in of_id(found, each)]
        if not dry_run:
            _forget(found)
        require_working(meant, "nobody can see what is to be forgotten in")
        learned = [each.id for each in found if is_learned(session.host.caches, each.name)]
    if not dry_run:
        forget_experience(config, learned)
    if as_json:
        put_json({"forgotten": [each.to_json() for each in found], "dry_run": dry_run})
    else:
        say(f"{'would forget' if dry_run else 'forgot'} {_number(len(found), 'entry', 'entries')}")


def _forget(found: list[Entry]) -> None:
    for each in found:
        each.layer.invalidate(each.item.key)


@command.command()
@click.option("--layer", metavar="NAME", help="Only what this layer keeps.")
@click.option("--yes", is_flag=True, help="Do not ask, whatever it cost.")
@json_option
@config_option
def clear(*, layer: str | None, yes: bool, as_json: bool, config: str | None) -> None:
    """Forget everything that is kept; the key stays.

    Compiled programs cost nothing but the next compilation. Replies were paid for: you are asked before they go; where
    nobody can be asked, --yes must say so.

    \b
    rtfs cache clear
    rtfs cache clear --layer l4
    rtfs cache clear --yes
    """  # noqa: D301 - click's \b is a backspace
    from rtfs_framework.orchestrator.config.folders import cache_dir
    from rtfs_framework.orchestrator.remembering.artifacts import quick

    gone: dict[str, Any] = {"programs": 0, "quick": 0, "replies": {}}
    with open_session(None, config, journal=False) as session:
        caches = session.host.caches
        found = entries(caches, Wanted(layer=layer))
        _ask_before([each for each in found if caches.layers[each.name][0].level not in UNPAID], yes=yes)
        meant = layers(caches, layer)
        for name, kept in meant:  # those without a live entry, too: what is past its time still lies there
            number = sum(each.name == name for each in found)
            gone["replies"] |= {name: number} if number else {}
            kept.clear()
        if layer is None:
            gone["programs"] = session.host.artifacts.clear()
            gone["quick"] = quick.clear(str(cache_dir(os.environ)))
        require_working(meant, "nothing was forgotten in")
        learned = any(is_learned(caches, name) for name, _ in meant)
    forget_experience(config, [""] if learned else [])
    if as_json:
        put_json(gone)
        return
    replies = "".join(f", {number:,} in {name}" for name, number in gone["replies"].items())
    say(f"forgot {gone['programs']} programs, {gone['quick']} quick entries{replies}")


def _ask_before(paid: list[Entry], *, yes: bool) -> None:
    """Ask before what was paid for goes.

    Raises:
        click.UsageError: Nobody can be asked.
    """
    costs = [each.item.record.info.cost for each in paid]
    dear = [cost for cost in costs if cost is None or cost > 0]
    if yes or not dear:
        return
    worth = money(sum(cost or 0 for cost in dear) / NANO, unpriced=None in dear)
    told = f"this forgets {_number(len(dear), 'reply', 'replies')} that cost {worth}"
    if not is_terminal(sys.stdin):
        raise click.UsageError(f"{told}; say --yes")
    click.confirm(f"{told}; go on?", abort=True, err=True)


def _number(count: int, one_word: str, many: str) -> str:
    return f"{count:,} {one_word if count == 1 else many}"


for _each in (export_command, import_command, verify_command, warm_command):
    command.add_command(_each)
