"""The commands about items of the durable queue: all of them, or those of one topic."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import attrs
import click

from rtfs_framework.cli.options import config_option, json_option
from rtfs_framework.cli.queues import item_of, queue_of, queue_option
from rtfs_framework.cli.shown.data import put_json
from rtfs_framework.cli.shown.words import moment
from rtfs_framework.cli.since import Since
from rtfs_framework.cli.terminal import say

if TYPE_CHECKING:
    from rtfs_framework.api.queue import ItemStatus, Queue

_STATES = ("queued", "leased", "done", "dead", "cancelled")
_LONGEST = 60


def commands(topic: str | None) -> Iterable[click.Command]:
    """Return the commands for a topic, or for all of them."""
    return (_list(topic), _show(topic), _cancel(topic), _retry(topic), _count(topic))


def _of_any(function: Any) -> Any:
    return queue_option(json_option(config_option(function)))


def _list(fixed: str | None) -> click.Command:
    @click.option("--topic", metavar="NAME", help="Of one topic: runs, tickets.")
    @click.option("--state", "states", multiple=True, type=click.Choice(_STATES), help="In one of these states.")
    @click.option("--of-tenant", "tenant", metavar="ID", help="Of one tenant.")
    @click.option("--symbol", metavar="NAME", help="Of one function: of tickets alone.")
    @click.option("--since", type=Since(), metavar="WHEN", help="Placed since: 7d, 24h, or a date such as 2026-11-01.")
    @click.option("--until", "before", type=Since(), metavar="WHEN", help="Placed before.")
    @click.option(
        "--limit", type=click.IntRange(1, 10**18), default=100, show_default=True, metavar="N", help="At most N."
    )
    @_of_any
    def list_(*, symbol: str | None, limit: int, as_json: bool, config: str | None, **given: Any) -> None:
        from rtfs_framework.api.queue import ItemFilter

        store = given.pop("store")
        topic = given.pop("topic", None) or fixed
        with queue_of(config, store) as (queue, _, _):
            most = limit if symbol is None else 10**9
            found = queue.items(ItemFilter(topic=topic, most=most, **given))
            if symbol is not None:
                found = [each for each in found if _symbol(queue, each) == symbol][:limit]
        if as_json:
            put_json({"items": [item_json(each) for each in found]})
            return
        if not found:
            say("nothing is there")
        for each in found:
            say(_line(each))

    list_.__doc__ = f"""List {_what(fixed)}, the oldest first.

    \b
    rtfs {_word(fixed)} list --state dead --since 24h
    rtfs {_word(fixed)} list --of-tenant acme --json
    """
    made = click.command("list")(list_)
    if fixed is not None:
        made.params = [each for each in made.params if each.name != "topic"]
    return made


def _show(fixed: str | None) -> click.Command:
    def show(id_: str, *, as_json: bool, config: str | None, store: str | None) -> None:
        with queue_of(config, store) as (queue, _, _):
            found = item_of(queue, id_, fixed)
        if as_json:
            put_json(item_json(found) | {"payload": _text(found.payload), "result": _text(found.result)})
            return
        say(_line(found))
        facts = f"{found.tries} of {found.most_tries} tries, {found.attempt} leases, {found.size:,} bytes"
        say(f"  placed {moment(found.made)}; {facts}")
        for word, text in (("worker", found.worker), ("key", found.key), ("reason", found.reason)):
            if text:
                say(f"  {word}: {text}")
        for line in _result_lines(found.result):
            say(f"  {line}")

    return _about_one(fixed, "show", show, "Show one, with what came of it.")


def _cancel(fixed: str | None) -> click.Command:
    def cancel(id_: str, *, as_json: bool, config: str | None, store: str | None) -> None:
        with queue_of(config, store) as (queue, _, _):
            found = item_of(queue, id_, fixed)
            state = queue.cancel(found.id)
        _told(found, state, as_json=as_json)

    text = "See that one is not worked on any more; who has it stops. What has ended stays as it is."
    return _about_one(fixed, "cancel", cancel, text)


def _retry(fixed: str | None) -> click.Command:
    def retry(id_: str, *, as_json: bool, config: str | None, store: str | None) -> None:
        with queue_of(config, store) as (queue, _, _):
            found = item_of(queue, id_, fixed)
            state = queue.requeue(found.id)
        _told(found, state, as_json=as_json)

    return _about_one(fixed, "retry", retry, "Let one that is dead or cancelled begin anew, with all its tries.")


def _count(fixed: str | None) -> click.Command:
    def count(*, as_json: bool, config: str | None, store: str | None) -> None:
        with queue_of(config, store) as (queue, _, _):
            found = queue.counts(fixed)
        if as_json:
            put_json({"counts": [attrs.asdict(each) for each in found]})
            return
        if not found:
            say("nothing is there")
        for each in found:
            whose = each.tenant or "-"
            say(f"{each.topic:<10} {whose:<20} {each.state:<10} {each.items:>12,} {each.bytes:>16,} bytes")

    count.__doc__ = f"""Count {_what(fixed)}, by topic, tenant and state.

    \b
    rtfs {_word(fixed)} count --json
    """
    return click.command("count")(_of_any(count))


def _about_one(fixed: str | None, name: str, work: Any, text: str) -> click.Command:
    work.__doc__ = f"""{text}

    \b
    rtfs {_word(fixed)} {name} 3f1c
    rtfs {_word(fixed)} {name} 3f1c --json
    """
    return click.command(name)(click.argument("id_", metavar="ID")(_of_any(work)))


def _told(found: ItemStatus, state: str | None, *, as_json: bool) -> None:
    if as_json:
        put_json({"id": found.id, "before": found.state, "state": state})
    else:
        say(f"{found.id}: {state}" + ("" if state != found.state else ", as it was"))


def _word(fixed: str | None) -> str:
    return "queue" if fixed is None else fixed


def _what(fixed: str | None) -> str:
    return "items" if fixed is None else fixed


def _line(each: ItemStatus) -> str:
    whose = f"  {each.tenant}" if each.tenant else ""
    why = each.reason if len(each.reason) <= _LONGEST else f"{each.reason[:_LONGEST]}…"
    tail = f"  {why}" if why else ""
    return f"{each.id}  {moment(each.made)}  {each.topic:<8}  {each.state:<9}{whose}{tail}".rstrip()


def item_json(each: ItemStatus) -> dict[str, Any]:
    """Return an item as JSON-ready data, without what is to be done and what came of it."""
    return attrs.asdict(each, filter=lambda field, _: field.name not in ("payload", "result"))


def _text(data: bytes | None) -> Any:
    """Return bytes as JSON-ready data: what they hold if they are JSON, else text."""
    if data is None:
        return None
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return data.decode("utf-8", "replace")


def _symbol(queue: Queue, each: ItemStatus) -> Any:
    """Return the function of a ticket's call."""
    found = queue.get(each.id)
    payload = None if found is None else _text(found.payload)
    return payload.get("symbol") if isinstance(payload, dict) else None


def _result_lines(result: bytes | None) -> Iterable[str]:
    told = _text(result)
    if isinstance(told, dict) and "text" in told:
        yield f"value: {told['text']}"
        yield f"run: {told.get('run')}"
    elif told:
        yield f"result: {told}"
