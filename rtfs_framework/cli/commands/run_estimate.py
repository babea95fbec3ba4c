"""`rtfs run --estimate`: what a run would ask of models and cost, as a range, before anything is asked or paid."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Any

from rtfs_framework.cli.commands.run_once import check_main, check_records, linked_with_notices
from rtfs_framework.cli.commands.run_stream import folds
from rtfs_framework.cli.notices import problems_json
from rtfs_framework.cli.options import warn
from rtfs_framework.cli.problems import NO_MAIN, USAGE, problem
from rtfs_framework.cli.records.open import Wanted, open_records
from rtfs_framework.cli.shown.data import put_json
from rtfs_framework.cli.shown.progress import Progress
from rtfs_framework.cli.shown.words import money
from rtfs_framework.cli.style import bold, yellow
from rtfs_framework.cli.terminal import say
from rtfs_framework.lang.source import Source

if TYPE_CHECKING:
    from rtfs_framework.orchestrator.explaining.estimating.estimate import Estimate, SiteEstimate
    from rtfs_framework.orchestrator.explaining.estimating.tokens import Span
    from rtfs_framework.orchestrator.session import Session


def estimate_once(session: Session, source: Source, args: list[str], *, as_json: bool) -> None:
    """Print the estimate of one run.

    Raises:
        InputError: E0908, the arguments do not fit.
        LanguageError: The program was refused.
    """
    main = linked_with_notices(session, source).instance.function("main")
    if main is not None or args:
        check_main(main, source, len(args), f"{len(args)} given on the command line")
    _put(session.estimate(source, [tuple(args)] if main is not None else []), "a run", as_json=as_json)


def estimate_records(session: Session, source: Source, wanted: Wanted, *, progress: bool, as_json: bool) -> None:
    """Print the estimate of a run with the records of an input.

    Raises:
        InputError: The input cannot be used.
        LanguageError: The program was refused.
    """
    linked = linked_with_notices(session, source)
    if folds(linked):
        message = "--estimate knows programs with a main alone: what fold asks depends on the state"
        raise problem(NO_MAIN, message, "run it on the first records: --limit 100", exit_code=USAGE)
    check_records(linked)
    with (
        closing(open_records(wanted, lambda error: warn(f"left out: {error}"))) as records,
        Progress(progress, records.total, records.position) as bar,
    ):

        def read() -> Iterator[tuple[Any, ...]]:
            for number, record in enumerate(records, 1):
                yield (record,)
                bar.update(number)

        found = session.estimate(source, read())
        if records.stopped is not None:
            raise records.stopped
        records.check_any()
    _put(found, f"{found.inputs:,} record{'' if found.inputs == 1 else 's'}", as_json=as_json)


def _put(found: Estimate, what: str, *, as_json: bool) -> None:
    if as_json:
        put_json({**found.to_json(), "problems": problems_json()})
        return
    for site in found.sites:
        _say_site(site)
    if not found.sites:
        say(f"{what} asks no model")
    else:
        say(bold("total"), f"  {_dollars(found.cost) if not found.unknown else _at_least(found)} for {what}")
    if found.failed:
        say(yellow(f"{found.failed:,} failed with stand-ins for answers and count as far as they came"))
        say(f"  {found.first_failure}")
    for text in found.not_known:
        say(f"not known: {text}")


def _say_site(site: SiteEstimate) -> None:
    model = f" ({site.model})" if site.model else ""
    calls = f"{_range(site.calls)} call{'' if site.calls.low == site.calls.high == 1 else 's'}"
    say(f"{site.place}: ", bold(site.symbol), f" -> {site.target}{model}: {calls}, because of {site.reasoning}")
    if site.input_tokens.high:
        say(f"     tokens in {_range(site.input_tokens)}, out {_range(site.output_tokens)}")
    if site.input_price is not None or site.output_price is not None:
        who = site.priced_by or "the configuration"
        say(f"     ${_price(site.input_price)} in, ${_price(site.output_price)} out per million tokens ({who})")
    say(f"     {'cost not known: no price' if site.cost is None else _dollars(site.cost)}")
    for note in site.notes:
        say(yellow(f"     {note}"))


def _range(span: Span) -> str:
    return f"{span.low:,}" if span.low == span.high else f"{span.low:,} to {span.high:,}"


def _dollars(span: Span) -> str:
    return money(span.low) if span.low == span.high else f"{money(span.low)} to {money(span.high)}"


def _at_least(found: Estimate) -> str:
    sites = "1 site has" if found.unknown == 1 else f"{found.unknown:,} sites have"
    return f"at least {money(found.cost.low)} ({sites} no price, so nobody knows how much at most)"


def _price(value: float | None) -> str:
    return "?" if value is None else f"{value:g}"
