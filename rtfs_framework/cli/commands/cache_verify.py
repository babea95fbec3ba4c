"""`rtfs cache verify`: whether what is kept, fetched and published is what was kept, fetched and published."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import click

from rtfs_framework.api.errors import PluginError
from rtfs_framework.cli.options import environment, json_option, open_session, trust_option
from rtfs_framework.cli.shown.cells import clean
from rtfs_framework.cli.shown.data import put_json
from rtfs_framework.cli.shown.kept import layers, state
from rtfs_framework.cli.terminal import say

if TYPE_CHECKING:
    from rtfs_framework.orchestrator.host import Host
    from rtfs_framework.orchestrator.remembering.published.stores import Finding

FETCHED = "fetched"
_Row = dict[str, Any]


def _config(function: Any) -> Any:
    text = "A configuration, laid over yours and the delegation.toml found here."
    return click.option("--config", metavar="FILE", help=text)(trust_option(function))


@click.command("verify")
@click.option("--layer", metavar="NAME", help="Only what this layer keeps.")
@json_option
@_config
def verify_command(*, layer: str | None, as_json: bool, config: str | None) -> None:
    """Read everything that is kept and see that it is what was kept; what is not is told, and forgotten.

    Published programs are looked at, too: those that were fetched to this machine, and those of every store that is
    configured. The exit code is 1 when something was damaged, or could not be looked at.

    \b
    rtfs cache verify
    rtfs cache verify --layer l2 --json
    """  # noqa: D301 - click's \b is a backspace
    with open_session(None, config, journal=False) as session:
        kept = {name: _kept(each) for name, each in layers(session.host.caches, layer)}
        published = {} if layer is not None else dict(_published(session.host, environment()))
    if as_json:
        put_json({"layers": kept, "published": published})
    else:
        for name, row in kept.items():
            _say_layer(name, row)
        for name, row in published.items():
            _say_published(name, row)
    if any(row["unseen"] or row["damaged"] for row in kept.values()):
        raise SystemExit(1)
    if any(row["unseen"] or row["wrong"] for row in published.values()):
        raise SystemExit(1)


def _kept(layer: Any) -> _Row:
    sound = len(layer.scan())
    counted, unseen = layer.stats(), state(layer)
    errors = 0 if counted is None else counted.errors
    return {"sound": sound, "damaged": errors, "works": not layer.broken, "unseen": unseen}


def _published(host: Host, environ: Mapping[str, str]) -> Iterator[tuple[str, _Row]]:
    """Yield what was fetched, where there is any, and what each store has."""
    from rtfs_framework.orchestrator.performing.stores import opened_store
    from rtfs_framework.orchestrator.remembering.published.stores import verify

    shelf = host.dispatcher.shelf.shelf
    if shelf.faces():
        yield FETCHED, _looked_at(*verify(shelf, shelf.salt, shelf.ring.listed()))
    for spec in host.config.publishing.stores:
        try:
            with opened_store(spec, host.catalog, environ) as store:
                row = _looked_at(*verify(store, shelf.salt, shelf.ring.listed()))
        except PluginError as error:
            row = {"good": 0, "wrong": [], "unseen": str(error)}
        yield f"store {spec.name}", row


def _looked_at(good: int, wrong: list[Finding]) -> _Row:
    told = [{"name": each.name, "kind": each.kind, "reason": each.reason} for each in wrong]
    return {"good": good, "wrong": told, "unseen": ""}


def _say_layer(name: str, row: _Row) -> None:
    told = f"{row['damaged']:,} damaged, and forgotten" if row["damaged"] else "none damaged"
    if not row["works"]:
        say(f"{name:<9} cannot be read")
    elif row["unseen"]:
        say(f"{name:<9} was not looked at: {row['unseen']}")
    else:
        say(f"{name:<9} {row['sound']:,} sound, {told}")


def _say_published(name: str, row: _Row) -> None:
    if row["unseen"]:
        say(f"{name:<9} was not looked at: {clean(row['unseen'].splitlines()[0])}")
        return
    for each in row["wrong"]:
        say(f"{name:<9} {each['kind']}: {clean(each['name'])}: {clean(each['reason'])}")
    say(f"{name:<9} {row['good']:,} good, {len(row['wrong']):,} not")
