"""`rtfs run FILE`: a program, once or for every record of an input."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from rtfs_framework.cli.faults import FINE
from rtfs_framework.cli.limits import chosen, limit_options, said_limits
from rtfs_framework.cli.options import (
    caller_options,
    caller_said,
    config_option,
    journal_option,
    json_option,
    manifest_option,
    open_session,
    park_option,
    plan_option,
    quiet_option,
)
from rtfs_framework.cli.sources import given_text, read_program

_PUBLISHED = "l4-"
_LEAST_DIGEST = 8
_FORMATS = ("csv", "jsonl", "text")


@click.command()
@click.argument("file", metavar="FILE")
@click.argument("args", nargs=-1)
@click.option("--input", "input_file", metavar="FILE", help="Call main (or fold) for every record of FILE; - is stdin.")
@click.option("--column", metavar="NAME", help="The column or key that holds the text; it becomes 'text'.")
@click.option("--format", "form", type=click.Choice(_FORMATS), help="The input's format, if its name does not say it.")
@click.option("--encoding", metavar="NAME", help="The input's encoding (default: as its BOM says, else utf-8).")
@click.option("--delimiter", metavar="CHAR", help="What separates the columns of a CSV.")
@click.option("--skip-bad", is_flag=True, help="Leave out records that cannot be read, instead of stopping.")
@click.option("--limit", type=click.IntRange(1, 10**18), metavar="N", help="Read at most N records.")
@click.option("--concurrency", type=click.IntRange(1, 1000), metavar="N", help="Records under way at once.")
@click.option("--parallel", type=click.IntRange(1, 1000), metavar="N", help="Calls of one fan-out under way at once.")
@click.option("--on", metavar="NAME:ADDRESS", help="Spread the records over a cluster, such as dask:HOST:PORT.")
@click.option("--progress/--no-progress", default=None, help="Show a progress bar (default: on a terminal).")
@click.option("--output", metavar="FILE", help="Also write the results to FILE, one JSON object per line.")
@click.option("--estimate", is_flag=True, help="Say what this would ask of models and cost; ask nobody.")
@click.option("--queued", is_flag=True, help="Let `rtfs worker` do it; print the run's id.")
@click.option("--priority", type=click.IntRange(0, 9), metavar="N", help="With --queued: 0 to 9; 9 comes first.")
@click.option("--key", metavar="TEXT", help="With --queued: of all orders with the same one, the first counts.")
@plan_option
@manifest_option
@park_option
@limit_options
@json_option
@quiet_option
@config_option
@caller_options
@journal_option
def command(file: str, *, args: tuple[str, ...], input_file: str | None, **options: Any) -> int | None:
    """Run the program in FILE and print its value; if it defines main, main is called with ARGS (texts).

    With --input, main is called once for every record of a CSV, JSON Lines or text file: its argument is a map with
    text keys, among them "text". A program without main may define (fold state record), which carries a state over
    the records, and (finish state), whose value is printed. Memory does not grow with the input.

    A whole program that `rtfs fetch` got is named by its digest, or the beginning of it: l4-DIGEST, l4-DIGEST@KEY.

    \b
    rtfs run hello.rtfs World
    rtfs run triage.rtfs --input messages.csv --column body
    cat messages.txt | rtfs run triage.rtfs --input - --json
    rtfs run count-by-mood.rtfs --input messages.csv
    rtfs run triage.rtfs --input messages.csv --estimate
    rtfs run triage.rtfs --input messages.csv --on dask:127.0.0.1:8786
    rtfs run triage.rtfs --plan triage.rtfs.plan.toml
    rtfs run triage.rtfs --manifest triage.manifest.toml
    rtfs run --queued nightly.rtfs --key 2026-11-30
    rtfs run l4-DIGEST World
    """  # noqa: D301 - click's \b is a backspace
    published = _published(file)
    if published is not None:
        _run_published(published, args, {**options, "input": input_file})
        return None
    _check_queued(options, input_file)
    if options["manifest"] and options["on"]:
        raise click.UsageError("--manifest and --on exclude each other: workers go by the rules of their own hosts")
    source = read_program(file)
    asked = chosen(options)
    common = {name: options[name] for name in ("journal", "parallel", "plan", "manifest")}
    if options["estimate"]:
        common["journal"] = False
        if options["output"]:
            raise click.UsageError("--estimate and --output exclude each other: an estimate has no results to write")
    with open_session(file, options["config"], limits=asked, **common) as session:
        if options["park"]:
            session.park()
        if input_file is None:
            _refuse_stream_options(options)
            if options["queued"]:
                from rtfs_framework.cli.commands.run_queued import run_queued

                texts = [given_text(arg, f"argument {n}") for n, arg in enumerate(args, 1)]
                run_queued(session, source, texts, options)
                return None
            if options["estimate"]:
                from rtfs_framework.cli.commands.run_estimate import estimate_once

                texts = [given_text(arg, f"argument {n}") for n, arg in enumerate(args, 1)]
                estimate_once(session, source, texts, as_json=options["as_json"])
                return None
            from rtfs_framework.cli.commands import run_once as once

            linked = once.linked_quietly(session, source)
            with once.told_once(linked):
                given = [given_text(arg, f"argument {n}") for n, arg in enumerate(args, 1)]
                result = once.run_once(session, linked, given)
            if not asked and _is_plain(file, options):
                from rtfs_framework.cli.remember import remember_run

                remember_run(session, linked)
            once.write_result(result, options["output"])
            once.show_result(result, as_json=options["as_json"])
            return None
        if args:
            raise click.UsageError("ARGS and --input exclude each other: with --input, main gets records")
        return _stream(session, source, input_file, options)


def _check_queued(options: dict[str, Any], input_file: str | None) -> None:
    if options["queued"]:
        others = ("estimate", "output", "plan", "manifest", "parallel", "park")
        given = ["input"] if input_file is not None else [name for name in others if options[name]]
        given += [] if options["journal"] else ["no-journal"]
        wrong = next(iter((*given, *said_limits(options), *caller_said())), None)
        if wrong is not None:
            raise click.UsageError(
                f"--queued and --{wrong} exclude each other: a worker runs it as its host is configured"
            )
    elif options["priority"] is not None or options["key"] is not None:
        raise click.UsageError("--priority and --key need --queued")


def _published(file: str) -> tuple[str, str] | None:
    """Return digest and key of a target `l4-DIGEST@KEY` that is named instead of a file, None for a file."""
    digest, _, key = file.removeprefix(_PUBLISHED).partition("@")
    is_target = file.startswith(_PUBLISHED) and len(digest) >= _LEAST_DIGEST and not Path(file).exists()
    return (digest, key) if is_target else None


def _run_published(published: tuple[str, str], args: tuple[str, ...], options: dict[str, Any]) -> None:
    from rtfs_framework.cli.commands import run_once as once

    refused = [name for name in ("input", "estimate", "plan", "manifest", "queued") if options[name]]
    if refused:
        raise click.UsageError(f"--{refused[0]} needs a program's text; a published one asks nobody, and is run once")
    with open_session(None, options["config"], limits=chosen(options), journal=options["journal"]) as session:
        given = [given_text(arg, f"argument {n}") for n, arg in enumerate(args, 1)]
        result = once.run_once(session, once.linked_published(session, *published), given)
        once.write_result(result, options["output"])
        once.show_result(result, as_json=options["as_json"])


def _stream(session: Any, source: Any, input_file: str, options: dict[str, Any]) -> int:
    from rtfs_framework.cli.commands.run_stream import How, run_stream
    from rtfs_framework.cli.records.open import Wanted
    from rtfs_framework.cli.records.parse import KEY
    from rtfs_framework.cli.shown.progress import wanted

    names = ("form", "column", "encoding", "skip_bad", "limit")
    delimiter = _delimiter(options["delimiter"])
    reading = Wanted(path=input_file, delimiter=delimiter, **{name: options[name] for name in names})
    labelling = session.host.dispatcher.labelling
    if labelling is not None and reading.column is not None:  # a column's marks go with it under its new name
        labelling.marks.renamed.update({KEY: reading.column, f"{KEY} (column)": KEY})
    if options["estimate"]:
        from rtfs_framework.cli.commands.run_estimate import estimate_records

        bar = wanted(options["progress"])
        estimate_records(session, source, reading, progress=bar, as_json=options["as_json"])
        return FINE
    how = How(
        as_json=options["as_json"],
        output=options["output"],
        progress=wanted(options["progress"]),
        concurrency=options["concurrency"],
        on=_executor(options["on"]),
    )
    return run_stream(session, source, reading, how)


def _executor(text: str | None) -> tuple[str, str] | None:
    """Return the name and the address of an executor."""
    if text is None:
        return None
    name, _, address = text.partition(":")
    if not name or not address:
        message = "name an executor and where it is, such as dask:HOST:PORT; `rtfs plugins` lists executors"
        raise click.BadParameter(message, None, None, "--on")
    return name, address


def _is_plain(file: str, options: dict[str, Any]) -> bool:
    """Tell whether a program was run as the quick way runs programs."""
    others = ("as_json", "config", "output", "parallel", "plan", "manifest")
    return file != "-" and bool(options["journal"]) and not any(options[name] for name in others)


def _delimiter(text: str | None) -> str | None:
    text = "\t" if text in {"tab", "\\t"} else text
    if text is not None and (len(text) != 1 or (text != "\t" and not text.isprintable()) or text == '"'):
        raise click.BadParameter(
            "must be one character that can stand in a line, such as ';', or 'tab'", None, None, "--delimiter"
        )
    return text


def _refuse_stream_options(options: dict[str, Any]) -> None:
    for name in ("column", "form", "encoding", "delimiter", "limit", "concurrency", "skip_bad", "on"):
        if options[name]:
            shown = "format" if name == "form" else name.replace("_", "-")
            raise click.UsageError(f"--{shown} needs --input FILE")
