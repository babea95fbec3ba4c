"""Running a chunk: what happens, as expectations; and what is different from those that are written."""

from __future__ import annotations

import re
from typing import Any

from chunks.files import Chunk, Expectation
from rtfs_framework.kernel.call_kind import CallKind
from rtfs_framework.kernel.instance import Instance
from rtfs_framework.kernel.loader import compile_source, run_pure
from rtfs_framework.kernel.outcome import Complete, HostCall
from rtfs_framework.lang.errors import LanguageError, LimitError, ProgramError, generic_error, undefined_symbol
from rtfs_framework.lang.printer import write
from rtfs_framework.lang.reader.read import read_program
from rtfs_framework.lang.source import Source

_PLACE = re.compile(r":(\d+):(\d+)$")


class NoPlaceError(AssertionError):
    """An error that does not say where it happened."""


def run(chunk: Chunk) -> list[Expectation]:
    """Return what happens when a chunk runs.

    Raises:
        NoPlaceError: a refusal or an error without a place. Any other exception is a bug and comes through.
    """
    source = Source(chunk.path.name, chunk.text)
    wanted = [e for e in chunk.expectations if e.word == "yields"]
    happened: list[Expectation] = []
    try:
        value = _drive(source, [e.text.partition("<-")[2].strip() for e in wanted], happened)
    except LanguageError as error:
        return [_refusal(d) for d in error.diagnostics if d.severity == "error"]
    except ProgramError as error:
        return [*happened, Expectation(_line(error), "raises", f'{error.kind} "{_regex(str(error))}"')]
    except LimitError as error:
        return [*happened, Expectation(_last_line(source), "raises", f'limit "{error.dimension}"')]
    return [*happened, Expectation(_last_line(source), "=>", write(value))]


def _drive(source: Source, replies: list[str], happened: list[Expectation]) -> Any:
    run_ = Instance(compile_source(source)).start()
    outcome = run_.step()
    while not isinstance(outcome, Complete):
        call = outcome.call
        if call.kind is CallKind.CONTEXT_GET:
            outcome = run_.resume(None) if call.args else run_.throw(undefined_symbol(call.capability))
        elif call.kind in (CallKind.EVENT, CallKind.CONTEXT_SET):
            outcome = run_.resume(None)
        else:
            outcome = _answer(run_, call, replies.pop(0) if replies else "nil", happened)
    return outcome.value


def _answer(run_: Any, call: HostCall, reply: str, happened: list[Expectation]) -> Any:
    if call.place is None:
        raise NoPlaceError(f"no place of {call.capability}")
    asked = " ".join([f":{call.capability}", *map(write, call.args)])
    happened.append(Expectation(call.place.line, "yields", f"({asked}) <- {reply or 'nil'}"))
    if reply.startswith("!"):
        return run_.throw(generic_error(reply[1:]))
    return run_.resume(run_pure(reply or "nil"))


def _refusal(diagnostic: Any) -> Expectation:
    if diagnostic.place is None:
        raise NoPlaceError(diagnostic.message)
    return Expectation(diagnostic.place.line, "error", f'{diagnostic.code} "{_regex(diagnostic.message)}"')


def _line(error: ProgramError) -> int:
    place = _PLACE.search(error.value.span or "")
    if place is None:
        raise NoPlaceError(f"{error.kind}: {error}")
    return int(place[1])


def _last_line(source: Source) -> int:
    forms = read_program(source)
    return source.place(max(0, forms[-1].span.end - 1))[0] if forms else 1


def _regex(message: str) -> str:
    return re.escape(message).replace("\\ ", " ").replace('"', '\\"').replace("\\'", "'").replace("\n", " ")


def differences(chunk: Chunk) -> list[str]:
    """Return what is different from the chunk's expectations."""
    happened, wanted = run(chunk), chunk.expectations
    out = []
    for i in range(max(len(happened), len(wanted))):
        got = happened[i] if i < len(happened) else None
        want = wanted[i] if i < len(wanted) else None
        if got is None or want is None or not _fits(want, got):
            out.append(f"{chunk.name}: expected {_shown(chunk, want)}, got {_shown(chunk, got)}")
    return out


def _fits(want: Expectation, got: Expectation) -> bool:
    if (want.line, want.word) != (got.line, got.word):
        return False
    if want.word in ("=>", "yields"):
        return want.text == got.text
    kind, _, words = want.text.partition(" ")
    got_kind, _, got_words = got.text.partition(" ")
    message = re.sub(r"\\(.)", r"\1", got_words.strip('"'))
    return kind == got_kind and re.search(words.strip().removeprefix('"').removesuffix('"'), message) is not None


def _shown(chunk: Chunk, e: Expectation | None) -> str:
    return "nothing" if e is None else f"line {chunk.first + e.line}: {e.word} {e.text}"
