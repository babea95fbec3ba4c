"""`rtfs streams list` and `rtfs streams show`: what a host keeps of its streams."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from rtfs_capability_streams.pipes import Pipes
from rtfs_capability_streams.plugin import StreamSettings
from rtfs_capability_streams.rows import Stream
from rtfs_capability_streams.sources import effects_of
from rtfs_capability_streams.store import Store
from rtfs_capability_streams.streams import place
from rtfs_framework.api import one_line, set_settings

_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs to read.")
_CONFIG = click.option("--config", metavar="FILE", help="The configuration (default: the nearest delegation.toml).")
_OF = click.option("--of-tenant", "tenant", metavar="ID", help="Of one tenant.")


@contextmanager
def _store(config: str | None) -> Iterator[Store | None]:
    """Open the file of a configuration; None where nothing was kept yet."""
    found = set_settings("streams", config=config)
    own: StreamSettings = found.own or StreamSettings()
    store = Store(place(own, found.base, found.directory), own.capacity, Pipes(lambda _: -1))
    try:
        yield store if store.exists else None
    finally:
        store.close()


@click.command()
@_OF
@_CONFIG
@_JSON
def list_(*, tenant: str | None, config: str | None, as_json: bool) -> None:
    """List the streams that a host keeps, by tenant and name.

    \b
    rtfs streams list
    rtfs streams list --of-tenant acme --json
    """  # noqa: D301 - click's \b is a backspace
    with _store(config) as store:
        found = [] if store is None else [each for each in store.all() if tenant in (None, each.tenant)]
    if as_json:
        _put({"streams": [_data(each) for each in found]})
        return
    if not found:
        click.echo("no stream is there")
    for each in found:
        click.echo(_line(each))


@click.command()
@click.argument("stream")
@_OF
@_CONFIG
@_JSON
def show(*, stream: str, tenant: str | None, config: str | None, as_json: bool) -> None:
    """Show one stream: its source, how far it is, and the state that its processor left.

    STREAM is its name, as `rtfs streams list` shows it.

    \b
    rtfs streams show orders/total
    rtfs streams show orders/total --json
    """  # noqa: D301 - click's \b is a backspace
    with _store(config) as store:
        kept = [] if store is None else store.all()
        found = [each for each in kept if each.id == stream and tenant in (None, each.tenant)]
        if not found:
            raise click.UsageError(f"no stream is called {stream!r}; `rtfs streams list` shows all")
        if len(found) > 1:
            whose = ", ".join(each.tenant or "nobody" for each in found)
            raise click.UsageError(f"several tenants have one ({whose}): name one by --of-tenant")
        (one,) = found
        waiting = None if store is None or one.queue is None else store.left(one.tenant, one.queue)
    if as_json:
        _put({**_data(one), "state": one.state, "position": one.position, "waiting": waiting})
        return
    click.echo(_line(one))
    facts = {"source": json.dumps(one.source), "type": one.type, "processor": one.processor, "sink": one.sink}
    facts |= {"waiting": "" if waiting is None else f"{waiting:,} items in its queue", "state": one.state}
    facts |= {"marks": " ".join(sorted(one.marks)), "effects": " ".join(effects_of(one.source))}
    for word, text in facts.items():
        if text:
            click.echo(f"  {word}: {one_line(text)}")


def _data(stream: Stream) -> dict[str, Any]:
    said = {"stream": stream.id, "tenant": stream.tenant, "status": stream.status, "seq": stream.seq}
    said |= {"source": stream.source, "type": stream.type, "processor": stream.processor, "sink": stream.sink}
    return {
        **said,
        "effects": list(effects_of(stream.source)),
        "replayable": stream.replayable,
        "marks": sorted(stream.marks),
    }


def _line(stream: Stream) -> str:
    whose = f" of {one_line(stream.tenant)}" if stream.tenant else ""
    return f"{one_line(stream.id)}{whose}: {stream.status}, {stream.seq:,} done, from a {stream.source[0]}"


def _put(data: Any) -> None:
    click.echo(json.dumps(data).replace("\x7f", "\\u007f"))  # nothing that steers a terminal
