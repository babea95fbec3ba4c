"""`rtfs plugins`: what is installed, who offers it, and what is wrong with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from rtfs_framework.cli.faults import FAILED, FINE
from rtfs_framework.cli.options import json_option
from rtfs_framework.cli.shown.data import put_json
from rtfs_framework.cli.style import bold
from rtfs_framework.cli.terminal import complain, report, say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rtfs_framework.registry.catalog import Catalog
    from rtfs_framework.registry.discover import FoundPlugin
    from rtfs_framework.registry.problems import PluginProblem

KINDS = (
    "engines",
    "providers",
    "caches",
    "capabilities",
    "capability_sets",
    "guards",
    "embedders",
    "ledgers",
    "queues",
    "stores",
    "executors",
    "commands",
    "observers",
    "data",
)
_DATA = {"prices": "what models cost; `rtfs prices list` shows it"}


@click.command()
@click.option("--strict", is_flag=True, help="Exit with 1 when a plugin has problems.")
@json_option
def command(*, strict: bool, as_json: bool) -> int:
    """Show engines, providers, caches, guards and all other kinds of parts, and the problems of plugins.

    A host is started, as the configuration here says, and closed again: what cannot be made is a problem too.

    RTFS_PLUGINS=a,b loads only those, RTFS_PLUGINS= none; built-in commands are there in any case.
    """
    from rtfs_framework.cli.door import full_catalog

    catalog = full_catalog()
    found = _started(catalog)
    if as_json:
        problems = [problem.to_json() for problem in found]
        entries = {kind: list(_entries(catalog, kind)) for kind in KINDS}
        put_json({**entries, "problems": problems, "restricted": catalog.restricted})
    else:
        _show(catalog, found)
    return FAILED if strict and found else FINE


def _started(catalog: Catalog) -> tuple[PluginProblem, ...]:
    """Start a host and return what is wrong with plugins."""
    from rtfs_framework.api.errors import LanguageError, PluginError
    from rtfs_framework.orchestrator.session import Session
    from rtfs_framework.registry.problems import PluginProblem

    try:
        with Session.open(catalog=catalog, journal=False) as session:
            session.host.dispatcher.delegator.may_claim("")  # asks the engine what it claims, as linking a program does
            return session.problems
    except PluginError as error:
        at_fault = (error.distribution,)
        problem = PluginProblem(
            code=error.code, message=error.problem, distributions=at_fault, help=error.way_out or ""
        )
        return (*catalog.problems, problem)
    except LanguageError as error:  # of the configuration
        complain(f"warning: no host could be started: {error}")
        return catalog.problems


def _entries(catalog: Catalog, kind: str) -> Iterator[dict[str, Any]]:
    """Yield the entries of a kind as JSON-ready data."""
    if kind == "data":
        yield from map(_data, catalog.data.values())
        return
    for name, (entry, provenance) in getattr(catalog, kind).items():
        yield {
            "name": name,
            "summary": getattr(entry, "summary", ""),
            "distribution": provenance.distribution,
            "version": provenance.version or None,
            **_facts(kind, entry),
        }


def _data(found: FoundPlugin) -> dict[str, Any]:
    """Return what is known of data that is loaded where it is needed."""
    provenance = found.provenance
    return {"name": found.name, "summary": _DATA.get(found.name, ""), "distribution": provenance.distribution,
            "version": provenance.version or None}  # fmt: skip


def _facts(kind: str, entry: Any) -> dict[str, Any]:
    if kind == "providers":
        return {"locality": entry.locality.value, "deterministic": entry.deterministic, "instances": [*entry.defaults]}
    if kind == "caches":
        return {"level": entry.level.value, "persistent": entry.persistent}
    return {"effects": list(entry.effects)} if kind == "capabilities" else {}


def _show(catalog: Catalog, problems: tuple[PluginProblem, ...]) -> None:
    shown = {kind: list(_entries(catalog, kind)) for kind in KINDS}
    names = max((len(entry["name"]) for entries in shown.values() for entry in entries), default=0)
    makers = max((len(_maker(entry)) for entries in shown.values() for entry in entries), default=0)
    for kind, entries in shown.items():
        if entries:
            say(bold(kind))
        for entry in entries:
            say(f"  {entry['name']:<{names}}  {_maker(entry):<{makers}}  {entry['summary']}".rstrip())
    if catalog.restricted:
        say()
        say("RTFS_PLUGINS chooses which plugins are loaded")
    if problems:
        say()
    for problem in problems:
        report(problem.render())


def _maker(entry: dict[str, Any]) -> str:
    return f"{entry['distribution']} {entry['version'] or ''}".rstrip()
