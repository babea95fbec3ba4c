"""A program run once: its top-level forms, then `main` with the arguments; the value is printed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.cli.faults import Interrupted
from rtfs_framework.cli.notices import notices, problems_json
from rtfs_framework.cli.output import Output
from rtfs_framework.cli.problems import NO_MAIN, USAGE, problem, problem_at
from rtfs_framework.cli.shown.data import put_json, value_json
from rtfs_framework.cli.sources import remember
from rtfs_framework.cli.terminal import put
from rtfs_framework.lang.arity import arity_text
from rtfs_framework.lang.diagnostics import Diagnostic
from rtfs_framework.lang.errors import ProgramError
from rtfs_framework.lang.printer import write
from rtfs_framework.lang.source import Source, Span
from rtfs_framework.orchestrator.recording.journal.kept import value_text
from rtfs_framework.orchestrator.recording.records import RunResult, call_json

OWN_BODIES = "E0625"

if TYPE_CHECKING:
    from rtfs_framework.lang.signature import FunctionSignature
    from rtfs_framework.orchestrator.running.linking import Linked
    from rtfs_framework.orchestrator.running.program import LoadedProgram
    from rtfs_framework.orchestrator.session import Session


def run_once(session: Session, linked: Linked, args: Sequence[str]) -> RunResult:
    """Run a program, and its `main` when it has one.

    Raises:
        InputError: E0908, the arguments do not fit.
        ProgramError: The program did not catch an error.
    """
    main = linked.instance.function("main")
    called = main is not None or bool(args)
    if called:  # before a top-level form has asked for anything
        check_main(main, linked.artifact.source, len(args), f"{len(args)} given on the command line")
    how = {"call": "main" if called else None, "args": value_text(tuple(args))}
    program = session.load(linked, how=how)
    with program:
        if not called:
            return RunResult(value=program.value, run_id=program.run_id, calls=program.calls, summary=program.summary)
        try:
            result = program.call("main", tuple(args))
        except KeyboardInterrupt:
            raise Interrupted(go_on(program)) from None
        return attrs.evolve(result, calls=(*program.calls, *result.calls), summary=program.summary)


def go_on(program: LoadedProgram) -> str:
    """Return how one goes on with a run that was interrupted; "" for one that nobody can."""
    chain = program.chain
    known = chain is not None and chain.facts.job is not None and (chain.calls or chain.open_calls)
    return f"; go on with `{program.host.config.resuming(program.run_id)}`" if known else ""


def linked_with_notices(session: Session, source: Source) -> Linked:
    """Return a program ready to run; say what in it surely fails when it is reached.

    Raises:
        LanguageError: The program was refused.
    """
    linked = linked_quietly(session, source)
    notices().tell_findings(linked.warnings)
    return linked


def linked_published(session: Session, digest: str, key: str) -> Linked:
    """Return a whole program that was fetched, ready to run.

    Raises:
        PublishingError: E0768, it is not here, or not trusted.
    """
    from rtfs_framework.orchestrator.running.linking import Prepared

    artifact = session.host.dispatcher.shelf.shelf.program(digest, key)
    return Prepared(session.host, artifact).link(session.limits)


def linked_quietly(session: Session, source: Source) -> Linked:
    """Return a program ready to run.

    Its modules are remembered too, those of a stored program as well, so that an error in one shows its line.

    Raises:
        LanguageError: The program was refused.
    """
    linked = session.link(source)
    for each in linked.artifact.sources:
        remember(each)
    return linked


@contextmanager
def told_once(linked: Linked) -> Iterator[None]:
    """Say what in a program surely fails when it has run: what it met there, its error tells already.

    What is no mistake, such as where its calls go without a configuration, is said before anything goes there.
    """
    notices().tell_findings(each for each in linked.warnings if each.severity == "hint")
    try:
        yield
    except ProgramError as error:
        from rtfs_framework.cli.program_errors import tells

        notices().tell_findings(each for each in linked.warnings if not tells(error.value, each))
        raise
    except BaseException:
        notices().tell_findings(linked.warnings)
        raise
    notices().tell_findings(linked.warnings)


def check_main(main: FunctionSignature | None, source: Source, given: int, how: str) -> None:
    """Refuse a program whose `main` does not take that many arguments.

    Raises:
        InputError: E0908.
    """
    if main is None:
        way_out = "add (defn main [record] ...)" if given == 1 else "add (defn main [...] ...)"
        raise problem(NO_MAIN, f"{source.name} defines no main function to call", way_out, exit_code=USAGE)
    fixed = [parameter.name for parameter in main.parameters if not parameter.rest]
    check_arity(main, source, given, how, f"rtfs run {source.name} {' '.join(map(str.upper, fixed))}".rstrip())


def check_records(linked: Linked) -> None:
    """Refuse a program that cannot take records one by one, before any of it has run.

    Raises:
        InputError: E0908.
    """
    check_main(linked.instance.function("main"), linked.artifact.source, 1, "but a record is one argument")


def check_arity(function: FunctionSignature, source: Source, given: int, how: str, way_out: str) -> None:
    """Refuse a program of which a function does not take that many arguments.

    Raises:
        InputError: E0908.
    """
    if function.taking(given) is not None:
        return
    name = function.name.rpartition("/")[2]
    fixed = [parameter.name for parameter in function.parameters if not parameter.rest]
    one = not function.arities and len(fixed) == 1
    wants = f"{arity_text(*function.shapes)} argument{'' if one else 's'}"
    names = f" ({' '.join(fixed)})" if fixed else ""
    found = re.search(rf"(?<=[\s\[(]){re.escape(name)}(?=[\s\[])", source.text)
    at = found.start() if found else 0
    message = f"{name} takes {wants}{names}, {how}"
    raise problem_at(NO_MAIN, message, source, Span(at, at + len(name)), way_out, exit_code=USAGE)


def show_result(result: RunResult, *, as_json: bool) -> None:
    """Print a run's value; tell on stderr what was computed by a call's own body because nothing else was left."""
    notices().tell_findings(_own_bodies(result))
    if as_json:
        put_json(result_json(result))
    else:
        put(write(result.value))


def _own_bodies(result: RunResult) -> Iterator[Diagnostic]:
    """Yield, when calls had nothing left to try and went on with their own bodies, how many and how to see why."""
    bodies = [call for call in result.calls if call.exhausted == "body"]
    if bodies:
        first, failed = bodies[0], result.summary.failed_attempts
        tried = ", ".join(f"{target} {count:,}" for target, count in failed.items()) or "nothing"
        calls = "1 call" if len(bodies) == 1 else f"{len(bodies):,} calls"
        message = f"{calls} had nothing left to try, and went on with the own body (failed: {tried})"
        way_out = f"`rtfs runs why {result.run_id[:12]} {first.entry}:{first.path}` tells why for {first.symbol}"
        yield Diagnostic(code=OWN_BODIES, message=message, help=way_out, severity="hint")


def write_result(result: RunResult, path: str | None) -> None:
    """Write a run's value to a file, when one is named.

    Raises:
        InputError: E0912, it cannot be written.
    """
    with Output.open(path) as output:
        output.write(result_json(result))


def result_json(result: RunResult) -> dict[str, Any]:
    """Return a run's result as JSON-ready data."""
    calls = [call_json(call) for call in result.calls]
    return {
        **value_json(result.value),
        "calls": calls,
        "summary": result.summary.to_json(),
        "problems": problems_json(),
    }
