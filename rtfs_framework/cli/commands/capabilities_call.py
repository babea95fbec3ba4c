"""One call of a capability from the command line: a program of one call, run as any other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from rtfs_framework.cli.limits import chosen
from rtfs_framework.cli.options import open_session
from rtfs_framework.cli.sources import given_text, remember
from rtfs_framework.lang.jsontext import load
from rtfs_framework.lang.source import Source

if TYPE_CHECKING:
    from rtfs_framework.lang.types.model import Type
    from rtfs_framework.orchestrator.session import Session


def call(name: str, args: Sequence[str], options: dict[str, Any], *, as_json: bool) -> None:
    """Call a capability and print its answer.

    Raises:
        ProgramError: It is not offered, not granted, or failed.
    """
    from rtfs_framework.cli.commands.run_once import linked_quietly, show_result
    from rtfs_framework.orchestrator.recording.journal.kept import value_text

    with open_session(None, options["config"], limits=chosen(options), journal=options["journal"]) as session:
        values = _values(session, name, [given_text(arg, f"argument {n}") for n, arg in enumerate(args, 1)])
        linked = linked_quietly(session, remember(_program(name, len(values))))
        with session.load(linked, how={"call": "main", "args": value_text(values)}) as program:
            result = program.call("main", values)
    show_result(result, as_json=as_json)


def _program(name: str, count: int) -> Source:
    """Return the program of one call."""
    from rtfs_framework.lang.printer import write

    names = " ".join(f"argument-{number}" for number in range(1, count + 1))
    text = f"(defn main [{names}] (call {write(name)} {names}))".replace(" )", ")")
    return Source(f"<capabilities call {name}>", text)


def _values(session: Session, name: str, texts: Sequence[str]) -> tuple[Any, ...]:
    """Return arguments as values of the types that a capability takes, where these are known."""
    capabilities = session.host.dispatcher.capabilities
    entry = capabilities.entries.get(capabilities.id_of(name) or "")
    types = () if entry is None or entry.parameters is None else entry.parameters
    return tuple(
        _typed(text, types[place], place) if place < len(types) else _plain(text) for place, text in enumerate(texts)
    )


def _typed(text: str, type_: Type, place: int) -> Any:
    from rtfs_framework.lang.errors import ProgramError
    from rtfs_framework.lang.types.coerce import from_text
    from rtfs_framework.lang.types.model import Primitive
    from rtfs_framework.lang.types.names import any_of_name

    if type_ is Primitive.STRING:
        return text
    if type_ is Primitive.ANY:
        return _plain(text)
    try:
        return from_text(type_, text, any_of_name)
    except ProgramError as error:
        raise click.BadParameter(str(error.value.message), param_hint=f"argument {place + 1}") from None


def _plain(text: str) -> Any:
    from rtfs_framework.lang.types.jsonable import from_plain

    try:
        return from_plain(load(text))
    except ValueError:
        return text
