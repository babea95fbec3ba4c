"""`rtfs write "task"`: a model writes a program, which is checked, mended, shown, and run after a yes."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import click

from rtfs_framework.cli.faults import FAILED, FINE, Interrupted
from rtfs_framework.cli.limits import chosen, limit_options
from rtfs_framework.cli.notices import problems_json
from rtfs_framework.cli.options import (
    caller_options,
    config_option,
    environment,
    journal_option,
    json_option,
    open_session,
)
from rtfs_framework.cli.output import write_text
from rtfs_framework.cli.problems import BAD_CHOICE, USAGE, InputError, problem, to_json
from rtfs_framework.cli.shown.data import put_json
from rtfs_framework.cli.sources import given_text
from rtfs_framework.cli.terminal import complain, put
from rtfs_framework.lang.source import Source
from rtfs_framework.orchestrator.config.colour import is_terminal

if TYPE_CHECKING:
    from rtfs_framework.cli.writing.asking import Asking
    from rtfs_framework.cli.writing.examples import Example
    from rtfs_framework.cli.writing.given import Given
    from rtfs_framework.cli.writing.rounds import Round, Written
    from rtfs_framework.cli.writing.shown import Facts
    from rtfs_framework.orchestrator.session import Session

CODES = {"empty": "E0981", "refused": "E0982", "prose": "E0983", "too-long": "E0984", "wrong": "E0985"}
"""How writing ends without a right program, and the code of that."""
EXISTS = "E0935"
_MOST_TASK = 32_000


@click.command()
@click.argument("task")
@click.option("--model", metavar="NAME", help="Who writes it (default: `model` under [write], or the only one).")
@click.option("--repairs", type=click.IntRange(0, 20), metavar="N", help="Show it what is wrong N times. [default: 3]")
@click.option("--example", "examples", multiple=True, metavar="'IN => OUT'", help="What the program must give.")
@click.option("--args", "args", multiple=True, metavar="TEXT", help="Run main with this text; several times for more.")
@click.option("--input", "input_file", metavar="FILE", help="Run main for every record of FILE.")
@click.option("--column", metavar="NAME", help="The column or key of the input that holds the text.")
@click.option("--limit", type=click.IntRange(1, 10**18), metavar="N", help="Read at most N records of the input.")
@click.option("--label", "labels", multiple=True, metavar="MARK", help="The task carries this mark (see [labels]).")
@click.option(
    "--pack-tokens", type=click.IntRange(200), default=1800, show_default=True, help="Of the language's part."
)
@click.option("--reply-tokens", type=click.IntRange(16), metavar="N", help="Of each reply at most.")
@click.option("--out", metavar="FILE", help="Also write the program to a new FILE, once it is right.")
@click.option("--force", is_flag=True, help="Write over a FILE of --out that is there.")
@click.option("--yes", is_flag=True, help="Run it without asking. The host's rules hold as for every run.")
@click.option("--no-run", is_flag=True, help="Only write it.")
@limit_options
@json_option
@config_option
@caller_options
@journal_option
def command(task: str, **options: Any) -> int:
    """Let a model write a program for TASK; look at it, and run it.

    The model is told the language and what this host grants (`rtfs prompt`). Its program is checked as `rtfs check`
    does, and examples are run; what is wrong it is shown, with codes and places, and writes it anew. Then you see the
    program, the calls that it makes, what they may cost and the marks that they may carry. It is run after your yes;
    without a terminal only with --yes. Each request to the model is paid, recorded and bounded as any other.

    The value goes to stdout, and where nothing is run the program does; all else goes to stderr. The exit code is 1
    where no right program was written, or its run has failed.

    \b
    rtfs write "count the words of a text" --args "a b c" --example '"a b" => 2'
    rtfs write "is the customer angry? :yes or :no" --input messages.csv --column body --out angry.rtfs
    rtfs write "the first ten primes" --model remote-openai --no-run
    """  # noqa: D301 - click's \b is a backspace
    if options["args"] and options["input_file"] is not None:
        raise click.UsageError("--args and --input exclude each other: with --input, main gets records")
    if options["yes"] and options["no_run"]:
        raise click.UsageError("--yes and --no-run exclude each other")
    task = task.strip()
    if not task or len(task) > _MOST_TASK:
        way_out = f"say in a few sentences what the program is for; {_MOST_TASK:,} characters are the most"
        raise problem(BAD_CHOICE, "the task is empty" if not task else "the task is too long", way_out, exit_code=USAGE)
    if options["out"] is not None and _is_taken(options):
        way_out = "look at it, name another --out, or write over it: --force"
        raise problem(EXISTS, f"{options['out']} is there already", way_out, exit_code=USAGE)
    given = _given(options)
    with open_session(None, options["config"], limits=chosen(options), journal=options["journal"]) as session:
        return _write(session, task, given, options)


def _is_taken(options: dict[str, Any]) -> bool:
    return not options["force"] and Path(options["out"]).is_file()


def _given(options: dict[str, Any]) -> Given:
    from rtfs_framework.cli.records.open import Wanted
    from rtfs_framework.cli.writing.given import Given

    args = tuple(given_text(each, f"--args {number}") for number, each in enumerate(options["args"], 1))
    records = None
    if options["input_file"] is not None:
        if options["input_file"] == "-":
            raise click.UsageError("--input needs a file: the standard input can be read only once")
        records = Wanted(path=options["input_file"], column=options["column"], limit=options["limit"])
    return Given(args=args, records=records, examples=tuple(map(_example, options["examples"])))


def _example(text: str) -> Example:
    from rtfs_framework.cli.writing.examples import BadExample, Example

    try:
        return Example.of(given_text(text, "--example"))
    except BadExample as error:
        raise problem(BAD_CHOICE, str(error), "rtfs write --help shows some", exit_code=USAGE) from None


def _write(session: Session, task: str, given: Given, options: dict[str, Any]) -> int:
    from rtfs_framework.cli.prompt_pack import make_pack
    from rtfs_framework.cli.writing.asking import Asking, chosen_model
    from rtfs_framework.cli.writing.judging import Judge
    from rtfs_framework.cli.writing.rounds import ASK
    from rtfs_framework.cli.writing.shown import Facts, written_json

    target = chosen_model(session, options["model"])
    pack = make_pack(session.host, options["pack_tokens"])
    if pack is None:
        raise problem(BAD_CHOICE, f"{options['pack_tokens']} tokens do not hold the language", "--pack-tokens 1800")
    system = ASK.format(pack=pack.text, how=given.told())
    asking = Asking(session, target, _marks(session, options["labels"]), options["reply_tokens"])
    judge = Judge(session=session, examples=given.examples, fits=given.misfit, marks=lambda: asking.carried)
    with asking:
        written = _rounds(session, asking, judge, (system, task), options)
        data = written_json(written, asking.summary, asking.run, _text(target))
    judged = written.judged
    if written.outcome != "right" or judged is None:
        error = _failed(written, data)
        if not options["as_json"]:
            raise error
        put_json({**data, "ran": False, "errors": to_json(error), "problems": problems_json()})
        return FAILED
    facts = Facts.of(session, judged, given, asking.carried)
    if options["out"] is not None and _is_taken(options):
        complain(f"{options['out']} is there by now: not written")
    elif options["out"] is not None:
        write_text(Path(options["out"]), judged.program)
    return _finish(session, given, facts, {**data, **facts.to_json()}, options)


def _text(target: Any) -> str:
    from rtfs_framework.orchestrator.config.routes import target_text

    return target_text(target)


def _marks(session: Session, texts: tuple[str, ...]) -> frozenset[str]:
    labels = session.host.config.labels
    marks = frozenset(each.removeprefix(":") for each in texts)
    known = frozenset() if labels is None else labels.marks
    if marks - known:
        way_out = f"known: {', '.join(sorted(known)) or 'none'}; or add it to marks under [labels]"
        raise problem(BAD_CHOICE, f"no mark is called '{min(marks - known)}'", way_out, exit_code=USAGE)
    return marks


def _rounds(session: Session, asking: Asking, judge: Any, words: tuple[str, str], options: dict[str, Any]) -> Written:
    """Go round, and keep each program: what was written is not lost, however this ends."""
    from rtfs_framework.cli.writing.kept import keep, unkept
    from rtfs_framework.cli.writing.rounds import write
    from rtfs_framework.cli.writing.shown import spent, tell_round

    repairs = session.host.config.write.repairs if options["repairs"] is None else options["repairs"]
    kept: list[Path] = []
    count = 0

    def told(made: Round) -> None:
        nonlocal count
        count += 1
        if made.judged is not None and not unkept(session, asking.carried):
            path = keep(environment(), asking.run, made.judged.program)
            kept[:] = [] if path is None else [path]
        if not options["as_json"]:
            tell_round(count, made)

    try:
        written = write(asking, judge, *words, repairs, told)
    except KeyboardInterrupt:
        raise Interrupted(f"; the last program is in {kept[0]}" if kept else "") from None
    if not options["as_json"]:
        complain(f"{spent(asking.summary, len(written.rounds))}; rtfs runs show {asking.run[:12]}")
        _tell_kept(written, kept, unkept(session, asking.carried))
    return written


def _tell_kept(written: Written, kept: list[Path], marks: frozenset[str]) -> None:
    if marks and written.judged is not None:
        shown = " ".join(f":{each}" for each in sorted(marks))
        complain(f"the program is not kept: the journal may not keep what carries {shown}")
    elif written.outcome != "right" and kept:
        complain(f"the last program is in {kept[0]}")


def _failed(written: Written, data: dict[str, Any]) -> InputError:
    outcome, count = written.outcome, len(written.rounds)
    last = written.rounds[-1]
    words = "" if last.nothing is None else f": {last.nothing.words[:400]}"
    tried = f"after {count} repl{'y' if count == 1 else 'ies'}"
    message = {
        "refused": f"the model refuses{words}",
        "wrong": f"the program is still wrong {tried}",
    }.get(outcome, f"no program {tried}{words}")
    way_out = (
        f"say the task otherwise, allow more --repairs, or name another --model; rtfs runs show {data['run'][:12]}"
    )
    return problem(CODES[outcome], message, way_out)


def _finish(session: Session, given: Given, facts: Facts, data: dict[str, Any], options: dict[str, Any]) -> int:
    """Show the program, and run it where that is allowed."""
    as_json = options["as_json"]
    wanted = not options["no_run"] and (options["yes"] or is_terminal(sys.stdin))
    if not as_json:
        if wanted:
            complain(facts.judged.program.rstrip("\n"))
        for text in facts.lines():
            complain(text)
    run = wanted and (options["yes"] or click.confirm("run it?", default=False, err=True))
    if as_json:
        put_json({**data, "ran": run, "problems": problems_json()})
    elif not run:
        if not options["no_run"]:
            complain("not run" if wanted else "not run: nobody can be asked here; say --yes to run it")
        put(facts.judged.program, end="")
    return _run(session, given, facts, as_json=as_json) if run else FINE


def _run(session: Session, given: Given, facts: Facts, *, as_json: bool) -> int:
    """Run it: its text carries the marks of what it was written from, and so do its calls."""
    from rtfs_framework.cli.commands import run_once as once
    from rtfs_framework.cli.sources import remember
    from rtfs_framework.orchestrator.recording.purse import Terms

    source = remember(Source("program.rtfs", facts.judged.program))
    if given.records is not None:
        from rtfs_framework.cli.commands.run_stream import How, run_stream
        from rtfs_framework.cli.shown.progress import wanted

        _rename(session, given)
        return run_stream(
            session, source, given.records, How(as_json=as_json, progress=wanted(None), marks=facts.marks)
        )
    linked = attrs.evolve(once.linked_quietly(session, source), terms=Terms(marks=facts.marks))
    with once.told_once(linked):
        result = once.run_once(session, linked, list(given.args))
    once.show_result(result, as_json=as_json)
    return FINE


def _rename(session: Session, given: Given) -> None:
    """A column's marks go with it under its new name."""
    from rtfs_framework.cli.records.parse import KEY

    labelling = session.host.dispatcher.labelling
    if labelling is not None and given.records is not None and given.records.column is not None:
        labelling.marks.renamed.update({KEY: given.records.column, f"{KEY} (column)": KEY})
