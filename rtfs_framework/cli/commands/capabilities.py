"""`rtfs capabilities list|show|search|call|missing`: what programs may ask a host for, and what a program lacks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from rtfs_framework.cli.faults import FAILED, FINE, CommandLineError
from rtfs_framework.cli.limits import limit_options, nesting_limit, nesting_option
from rtfs_framework.cli.options import config_option, journal_option, json_option, open_session
from rtfs_framework.cli.problems import BAD_CHOICE
from rtfs_framework.cli.shown.columns import say_table
from rtfs_framework.cli.shown.data import put_json
from rtfs_framework.cli.style import Part, bold, yellow
from rtfs_framework.cli.terminal import say

if TYPE_CHECKING:
    from rtfs_framework.lang.types.model import Type
    from rtfs_framework.orchestrator.explaining.market.by_types import Chain, Fit
    from rtfs_framework.orchestrator.explaining.market.offers import Offer
    from rtfs_framework.orchestrator.session import Session

UNKNOWN = "E0711"
_HEAD = ("capability", "effects", "granted", "by", "")
_WIDTH = 70


@click.group()
def command() -> None:
    """Show what programs may ask this host for, find it by words or types, try it, and see what a program lacks.

    \b
    rtfs capabilities list
    rtfs capabilities show fs.read
    rtfs capabilities search --from :url --to :string
    rtfs capabilities call ccos.echo hello
    rtfs capabilities missing report.rtfs
    """  # noqa: D301 - click's \b is a backspace


@command.command("list")
@click.option("--granted", is_flag=True, help="Only those that may be called here.")
@json_option
@config_option
def list_command(*, granted: bool, as_json: bool, config: str | None) -> None:
    """List all capabilities that are offered here: what they do, who offers them, whether they may be called.

    \b
    rtfs capabilities list
    rtfs capabilities list --granted --json
    """  # noqa: D301 - click's \b is a backspace
    with open_session(None, config, journal=False) as session:
        found = [each for each in _offers(session) if each.permission.granted or not granted]
    if as_json:
        put_json({"capabilities": [each.to_json() for each in found]})
        return
    _table(found)
    say("`rtfs capabilities show ID` tells more.")


@command.command("show")
@click.argument("name", metavar="ID")
@json_option
@config_option
def show_command(name: str, *, as_json: bool, config: str | None) -> None:
    """Show one capability: how it is called, what it does, who offers it, and the line that grants it.

    \b
    rtfs capabilities show fs.read
    rtfs capabilities show current-timestamp --json
    """  # noqa: D301 - click's \b is a backspace
    from rtfs_framework.orchestrator.explaining.market.needs import how_to_get
    from rtfs_framework.orchestrator.explaining.market.offers import offer_of

    with open_session(None, config, journal=False) as session:
        found = offer_of(session.host, name.removeprefix(":"))
        if found is None:
            raise CommandLineError(UNKNOWN, f"nothing here offers '{name}'", how_to_get(session.host, name))
    if as_json:
        put_json(found.to_json())
        return
    for parts in _page(found):
        say(*parts)


@command.command("search")
@click.argument("text", nargs=-1)
@click.option("--from", "--takes", "takes", multiple=True, metavar="TYPE", help="What is there, in order.")
@click.option("--to", "--gives", "gives", metavar="TYPE", help="What is wanted.")
@json_option
@config_option
def search_command(
    text: tuple[str, ...], *, takes: tuple[str, ...], gives: str | None, as_json: bool, config: str | None
) -> int:
    """Find capabilities by words, or by what they take and give, as far as the language's types prove that.

    Where none turns what is there into what is wanted, two that do it one after the other are suggested. The exit code
    is 1 when nothing is found.

    \b
    rtfs capabilities search page
    rtfs capabilities search --from :url --to Document
    rtfs capabilities search --gives '[:vector :string]'
    """  # noqa: D301 - click's \b is a backspace
    from rtfs_framework.orchestrator.explaining.market.by_types import by_words, chained, fitting

    if not (text or takes or gives):
        raise click.UsageError("say words, or types by --from and --to")
    taken, given = [_type(each) for each in takes], None if gives is None else _type(gives)
    with open_session(None, config, journal=False) as session:
        offered = _offers(session)
    found = by_words(offered, " ".join(text)) if text else offered
    fits: list[Fit] = fitting(found, taken, given) if taken or given is not None else []
    chains = chained(offered, taken, given) if taken and given is not None and not text else []
    if as_json:
        shown = [each.to_json() for each in (fits if taken or given is not None else found)]
        put_json({"found": shown, "suggestions": [each.to_json() for each in chains]})
    elif taken or given is not None:
        _show_fits(fits, chains)
    else:
        _table(found)
    return FINE if fits or chains or (text and found and not (taken or given is not None)) else FAILED


@command.command("call", context_settings={"ignore_unknown_options": True})
@click.argument("name", metavar="ID")
@click.argument("args", nargs=-1)
@limit_options
@json_option
@config_option
@journal_option
def call_command(name: str, *, args: tuple[str, ...], as_json: bool, **options: Any) -> None:
    """Call one capability, under the rules of the configuration and in the journal, as a program would.

    Where its types are known, ARGS are read as values of them; else as JSON, and what is no JSON as text.

    \b
    rtfs capabilities call ccos.echo hello
    rtfs capabilities call fs.read notes.txt --json
    rtfs capabilities call http.request '{"url": "http://127.0.0.1:8000/"}'
    """  # noqa: D301 - click's \b is a backspace
    from rtfs_framework.cli.commands.capabilities_call import call

    call(name.removeprefix(":"), args, options, as_json=as_json)


@command.command("missing")
@click.argument("file", metavar="FILE")
@nesting_option()
@json_option
@config_option
def missing_command(file: str, *, nesting: int | None, as_json: bool, config: str | None) -> int:
    """List what a program needs of this host and lacks, each with a way out. The exit code is 1 when it lacks anything.

    Names that a program computes are judged when it runs, and are not in the list.

    \b
    rtfs capabilities missing report.rtfs
    rtfs capabilities missing report.rtfs --json
    """  # noqa: D301 - click's \b is a backspace
    from rtfs_framework.cli.shown.purity import need_parts
    from rtfs_framework.cli.sources import read_program

    source = read_program(file)
    with open_session(file, config, journal=False, limits=nesting_limit(nesting)) as session:
        found = session.needs(source)
    lacking = [each for each in found if each.lacking]
    if as_json:
        put_json({"file": file, "missing": [each.to_json() for each in lacking], "needed": len(found)})
    else:
        for need in lacking:
            say(f"{need.places[0]}: ", *need_parts(need))
        if not lacking:
            say(f"{file}: nothing is missing")
    return FAILED if lacking else FINE


def _offers(session: Session) -> list[Offer]:
    from rtfs_framework.orchestrator.explaining.market.offers import offers

    return offers(session.host)


def _type(text: str) -> Type:
    from rtfs_framework.api.errors import LanguageError
    from rtfs_framework.api.typed import parse_type

    try:
        return parse_type(text)
    except LanguageError as error:
        found = error.diagnostics[0]
        way_out = found.help or "a type is :int, :string, a name, or [:vector T], ..."
        raise CommandLineError(BAD_CHOICE, f"'{text}' is no type: {found.message}", way_out) from None


def _table(found: Sequence[Offer]) -> None:
    if not found:
        say("nothing found")
        return
    rows = [_HEAD]
    for each in found:
        summary = each.entry.summary
        shown = summary if len(summary) <= _WIDTH else f"{summary[:_WIDTH]}..."
        who = f"{each.provenance.distribution} {each.version}".rstrip()
        granted = "yes" if each.permission.granted else "no"
        rows.append((each.id, ", ".join(each.effects) or "-", granted, who, shown))
    say_table(rows)


def _page(found: Offer) -> Iterator[tuple[Part, ...]]:
    yield bold(found.id), f"  {found.entry.summary}"
    lines = [
        ("called as", found.usage),
        ("also", ", ".join((*found.aliases, *(f"({name} ...)" for name in found.names)))),
        ("effects", ", ".join(found.effects) or "not said"),
        ("promises", ", ".join(found.traits) or "nothing"),
        ("offered by", f"{found.provenance} ({found.provenance.module})"),
        ("version", found.entry.version),
        *(("a grant may say" if number == 0 else "", str(key)) for number, key in enumerate(found.keys)),
    ]
    for word, text in lines:
        if text:
            yield (f"  {word:<16} {text}",)
    said = found.permission
    if said.granted:
        yield (f"  {'granted here':<16} yes: {said.why}",)
    else:
        yield f"  {'granted here':<16} ", yellow(f"no: {said.why}")
        yield (f"  {'':<16} {said.way_out}",)


def _show_fits(fits: Sequence[Fit], chains: Sequence[Chain]) -> None:
    for fit in fits:
        gives = fit.offer.usage.partition(" -> ")[2]
        granted = "" if fit.offer.permission.granted else " (not granted here)"
        say(bold(fit.call), f" -> {gives}" if gives else "", granted)
        say(f"     {fit.offer.entry.summary.rstrip('.')}; {fit.offer.provenance}")
    if not fits:
        say("no capability does that alone" if chains else "nothing found that is proved to fit")
    for number, each in enumerate(chains):
        if number == 0:
            say("one after the other:")
        say("  ", bold(each.call))
