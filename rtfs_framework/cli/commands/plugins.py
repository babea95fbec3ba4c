"""`rtfs plugins`: what is installed, who offers it, what it needs and what is wrong with it; and a new one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from rtfs_framework.cli.faults import FAILED, FINE
from rtfs_framework.cli.kit.kinds import KINDS as NEW
from rtfs_framework.cli.kit.kinds import LICENSES
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


@click.group(invoke_without_command=True)
@click.option("--strict", is_flag=True, help="Exit with 1 when a plugin has problems.")
@click.option("--timings", is_flag=True, help="Show how long each distribution takes to start.")
@json_option
@click.pass_context
def command(context: click.Context, /, *, strict: bool, timings: bool, as_json: bool) -> int | None:
    """Show engines, providers, caches, guards and all other kinds of parts, and the problems of plugins.

    A host is started, as the configuration here says, and closed again: what cannot be made is a problem too.
    `rtfs plugin` is the same command.

    RTFS_PLUGINS=a,b loads only those, RTFS_PLUGINS= none; built-in commands are there in any case.

    \b
    rtfs plugins --strict
    rtfs plugins --timings
    rtfs plugins audit
    rtfs plugin new engine my-engine
    """  # noqa: D301 - click takes the character for "as it is"
    if context.invoked_subcommand is not None:
        return None
    from rtfs_framework.cli.door import full_catalog

    catalog = full_catalog()
    if timings:
        _show_timings(catalog, as_json=as_json)
        return FAILED if strict and catalog.problems else FINE
    found = _started(catalog)
    if as_json:
        problems = [problem.to_json() for problem in found]
        entries = {kind: list(_entries(catalog, kind)) for kind in KINDS}
        put_json({**entries, "problems": problems, "restricted": catalog.restricted})
    else:
        _show(catalog, found)
    return FAILED if strict and found else FINE


def _show_timings(catalog: Catalog, *, as_json: bool) -> None:
    """Show how long imports and hooks took, the slowest distribution first."""
    from rtfs_framework.registry.timing import timings

    rows: dict[tuple[str, str], list[float]] = {}
    for who, took in timings(catalog.plugins).items():
        row = rows.setdefault((who.distribution, who.version), [0.0, 0.0])
        row[0], row[1] = row[0] + took.imported * 1000, row[1] + took.hooks * 1000
    slowest = sorted(rows.items(), key=lambda item: -sum(item[1]))
    if as_json:
        told = [
            {"distribution": name, "version": version or None, "import_ms": round(one, 3), "hooks_ms": round(two, 3)}
            for (name, version), (one, two) in slowest
        ]
        put_json({"timings": told, "problems": [problem.to_json() for problem in catalog.problems]})
        return
    width = max((len(f"{name} {version}") for name, version in rows), default=0)
    say(bold(f"{'distribution':<{width}}  {'import':>10}  {'hooks':>10}"))
    for (name, version), (one, two) in slowest:
        say(f"{f'{name} {version}'.rstrip():<{width}}  {one:>7.1f} ms  {two:>7.1f} ms")
    for problem in catalog.problems:
        report(problem.render())


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


@command.command("audit")
@click.option("--strict", is_flag=True, help="Exit with 1 when a distribution says nothing, or is not loaded.")
@json_option
def audit_command(*, strict: bool, as_json: bool) -> int:
    """Show what each plug-in says that it needs, and whether the configuration lets it have that.

    Permissions are network, files, models and subprocess. [plugins] allow, and [plugins.grant] by distribution, say in
    your own configuration what plug-ins may have; one that declares more is not imported (E0813), nor then is
    one that declares nothing and is not granted anything.

    A declaration is its authors' word. A plug-in is Python code of the same process: nothing keeps one from doing what
    it does not declare, so install only those that you trust with everything that the process may do.

    \b
    rtfs plugins audit
    rtfs plugins audit --strict --json
    """  # noqa: D301 - click takes the character for "as it is"
    from rtfs_framework.cli.door import full_catalog
    from rtfs_framework.cli.kit.audit import audited, lines, to_json

    catalog = full_catalog()
    found = audited(catalog)
    if as_json:
        put_json({"plugins": [to_json(each) for each in found], "allow": sorted(catalog.allowed.everybody)})
    else:
        for line in lines(found, catalog.allowed):
            say(line)
    return FAILED if strict and any(each.declared is None or each.lacking for each in found) else FINE


@command.command("new")
@click.argument("kind", type=click.Choice(tuple(NEW)), metavar="KIND")
@click.argument("name", metavar="NAME")
@click.option("--into", default=".", metavar="DIR", help="Where the folder NAME is made (default: here).")
@click.option("--author", default="", metavar="NAME", help="Who is named as author (default: the plug-in's authors).")
@click.option("--license", "license_", type=click.Choice(LICENSES), default=LICENSES[0], show_default=True,
              help="The licence that it comes with.")  # fmt: skip
@json_option
def new_command(*, as_json: bool, **options: str) -> None:
    """Make a plug-in: a whole distribution in ./NAME, whose tests pass from the start.

    KIND is engine, provider, cache, capability, embedder, store, queue, ledger, guard, executor, command or observer.
    NAME is what configurations will call it: small letters, digits and dashes. It does something small and true, keeps
    the contract of its kind, and declares what it needs; then change it step by step (docs/plugins.md).

    \b
    rtfs plugin new engine my-engine
    rtfs plugin new provider my-model --into plugins --author "Ada Lovelace"
    cd my-engine && python -m pip install --editable ".[test]" && pytest
    """  # noqa: D301 - click takes the character for "as it is"
    from rtfs_framework.cli.kit.making import make

    made = make(
        options["kind"], options["name"], options["into"], author=options["author"], license_=options["license_"]
    )
    if as_json:
        put_json(made.to_json())
    else:
        for line in made.lines():
            say(line)


def _maker(entry: dict[str, Any]) -> str:
    return f"{entry['distribution']} {entry['version'] or ''}".rstrip()
