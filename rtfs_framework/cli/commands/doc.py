"""`rtfs doc NAME`: what a name of the language means, how it is used, what it gives."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from textwrap import wrap
from typing import TYPE_CHECKING

import click

from rtfs_framework.cli.faults import CommandLineError
from rtfs_framework.cli.options import json_option
from rtfs_framework.cli.problems import BAD_CHOICE
from rtfs_framework.cli.shown.data import put_json
from rtfs_framework.cli.style import Part, bold
from rtfs_framework.cli.terminal import say
from rtfs_framework.lang.diagnostics import did_you_mean

if TYPE_CHECKING:
    from rtfs_framework.cli.reference import Entry


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("name", required=False, metavar="[NAME]")
@click.option("--search", metavar="TEXT", help="List the names whose name or text has these words.")
@json_option
def command(name: str | None, *, search: str | None, as_json: bool) -> None:
    """Explain a special form, macro or function: its use, types, purity, text, and examples with their values.

    Without a name, all names are listed by family.

    \b
    rtfs doc map
    rtfs doc --search 'whole number'
    rtfs doc
    """  # noqa: D301 - click's \b is a backspace
    found = found_entries(name, search)
    if as_json:
        _show_json(found, single=name is not None)
    elif found is None:
        _list_families()
    elif name is not None:
        for part in _lines(found[0]):
            say(part)
    else:
        for entry in found:
            say(bold(entry.name), f"  {entry.doc}")


def found_entries(name: str | None, search: str | None) -> Sequence[Entry] | None:
    """Return the entry of a name, or those that have some words; None where neither is said.

    Raises:
        CommandLineError: E0910, there is none; or both are said.
    """
    if name is not None and search is not None:
        raise CommandLineError(BAD_CHOICE, "a name and --search are two questions", "ask one of them")
    return _searched(search) if search is not None else [_named(name)] if name is not None else None


def _named(name: str) -> Entry:
    from rtfs_framework.cli.reference import all_names, entry_of

    found = entry_of(name)
    if found is None:
        near = did_you_mean(name, all_names()) or f"`rtfs doc --search {name}` looks in the texts too"
        raise CommandLineError(BAD_CHOICE, f"nothing is called '{name}'", near)
    return found


def _searched(text: str) -> list[Entry]:
    from rtfs_framework.cli.reference import entries

    words = text.lower().split()
    found = [
        entry
        for entry in entries()
        if all(word in " ".join((entry.name, *entry.aliases, entry.family, entry.doc)).lower() for word in words)
    ]
    if not found:
        raise CommandLineError(BAD_CHOICE, f"no text has '{text}'", "use fewer or other words; `rtfs doc` lists all")
    return found


def _lines(entry: Entry) -> Iterator[Part]:
    yield bold(entry.usage)
    facts = [entry.kind, *([f"arguments: {entry.arity}"] if entry.arity else []), entry.purity, entry.family]
    yield f"  {'; '.join(dict.fromkeys(facts))}"
    if entry.aliases:
        yield f"  also called {', '.join(entry.aliases)}"
    yield from (f"  {text}" for text in entry.types_text())
    yield ""
    yield f"  {entry.doc}"
    if entry.needs:
        yield f"  {entry.needs_text}"
    if entry.examples:
        yield ""
    for program, value in entry.examples:
        yield f"  {program}"
        if value and not entry.needs:
            yield f"  => {value}" if not value.startswith("!") else f"  => fails with {value[1:]}"


def _show_json(found: Sequence[Entry] | None, *, single: bool) -> None:
    from rtfs_framework.cli.reference import entries

    data = [entry.to_json() for entry in (entries() if found is None else found)]
    put_json(data[0] if single else data)


def _list_families() -> None:
    from rtfs_framework.cli.reference import families

    for family, found in families().items():
        names = " ".join([f"{family}:", *(entry.name for entry in found)])
        for text in wrap(names, 100, subsequent_indent="  ", break_on_hyphens=False):
            say(text)
    say()
    say("`rtfs doc NAME` tells more.")
