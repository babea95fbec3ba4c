"""`rtfs cache warm PROGRAM --input FILE --usd AMOUNT`: calls are made now, so that later runs need not pay for them."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import attrs
import click

from rtfs_framework.cli.options import config_option, json_option, open_session
from rtfs_framework.cli.shown.data import put_json
from rtfs_framework.cli.shown.words import money
from rtfs_framework.cli.sources import read_program
from rtfs_framework.cli.terminal import say

NANO = 1_000_000_000
_FORMATS = ("csv", "jsonl", "text")


@click.command("warm")
@click.argument("program")
@click.option("--input", "input_file", metavar="FILE", required=True, help="Call main for every record of FILE.")
@click.option("--usd", type=click.FloatRange(min=0.0), required=True, help="Spend at most so many US dollars.")
@click.option("--column", metavar="NAME", help="The column or key that holds the text; it becomes 'text'.")
@click.option("--format", "form", type=click.Choice(_FORMATS), help="The input's format, if its name does not say it.")
@click.option("--limit", type=click.IntRange(1, 10**18), metavar="N", help="Read at most N records.")
@click.option("--concurrency", type=click.IntRange(1, 1000), metavar="N", help="Records under way at once.")
@json_option
@config_option
def warm_command(
    program: str, *, input_file: str, usd: float, concurrency: int | None, as_json: bool, config: str | None, **how: Any
) -> int:
    """Run PROGRAM for every record of an input so that the replies are kept; its values are thrown away.

    Whatever the program does besides (capabilities that change something) happens as with `rtfs run`. No request is
    sent that could go beyond --usd: what follows then is as configured, and records may fail; that is told. What is
    kept already costs nothing.

    \b
    rtfs cache warm triage.rtfs --input messages.csv --usd 0.50
    rtfs cache warm triage.rtfs --input messages.jsonl --limit 100 --usd 0 --json
    """  # noqa: D301 - click's \b is a backspace
    from rtfs_framework.cli.commands.run_once import check_records, linked_with_notices
    from rtfs_framework.cli.records.open import Wanted, open_records
    from rtfs_framework.orchestrator.recording.purse import Purse, Terms

    source = read_program(program)
    reading = Wanted(path=input_file, delimiter=None, encoding=None, skip_bad=False, **how)
    with open_session(program, config) as session:
        session.host.mind_purses()
        terms = Terms(purse=Purse(nano=round(usd * NANO)))
        linked = linked_with_notices(session, source)
        check_records(linked)
        loaded = session.load(attrs.evolve(linked, terms=terms))
        with closing(open_records(reading, _raised)) as records:
            stream = session.stream(loaded, "main", iter(records), concurrency=concurrency)
            for _ in stream:
                pass
            summary = stream.summary
            loaded.close("interrupted" if stream.interrupted else "complete")
        if records.stopped is not None:
            raise records.stopped
    found = {
        "records": summary.records,
        "failed": summary.record_errors,
        "calls": summary.calls,
        "from_memory": summary.cache_hits.get("l2", 0),
        "cost": summary.cost,
        "bound": usd,
    }
    if as_json:
        put_json(found)
    else:
        failed = f"; {summary.record_errors:,} failed" if summary.record_errors else ""
        kept = f"{found['from_memory']:,} of them kept before"
        say(f"{summary.records:,} records{failed}: {summary.calls:,} calls, {kept}")
        say(f"spent {money(summary.cost, summary.unpriced)} of {money(usd)}")
    return 1 if summary.record_errors else 0


def _raised(error: Exception) -> None:
    raise error
