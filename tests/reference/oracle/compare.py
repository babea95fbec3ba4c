"""One program, run by the product and by the oracle: the same value or kind of error, and the same calls in order."""

from __future__ import annotations

from typing import Any

from oracle.evaluator import Evaluator, OverBudgetError
from rtfs_framework.kernel.call_kind import CallKind
from rtfs_framework.kernel.instance import Instance
from rtfs_framework.kernel.limits import Limits
from rtfs_framework.kernel.loader import compile_source
from rtfs_framework.kernel.outcome import Complete
from rtfs_framework.lang.canonical import canonical_print
from rtfs_framework.lang.errors import LanguageError, LimitError, ProgramError, generic_error, undefined_symbol
from rtfs_framework.lang.passes.table import ALL

LIMITS = Limits(depth=2_000, steps=200_000, host_calls=2_000)
REPLIES: dict[str, Any] = {"bool": (True, False, None), "str": ("a", "b"), "vec": ((), (1, 2), (3,)), "int": (0, 1, 5)}


def reply(name: str, number: int) -> Any:
    """Return what the host of a comparison answers to its call number `number`."""
    if name == "fail":
        raise generic_error("the host fails")
    options = REPLIES.get(name, (None,))
    return options[number % len(options)]


def compiled(text: str, passes: frozenset[str] = ALL) -> tuple[str, list[str]]:
    """Return the product's outcome and calls, made by some of its passes; the IR is verified after each."""
    calls: list[str] = []
    try:
        run = Instance(compile_source(text, passes=passes, verified=True), limits=LIMITS).start()
        outcome = run.step()
        while not isinstance(outcome, Complete):
            call = outcome.call
            if call.kind is CallKind.CAPABILITY:
                outcome = _answer(run, call, calls)
            elif call.kind is CallKind.CONTEXT_GET:
                outcome = run.throw(undefined_symbol(call.capability))
            else:
                outcome = run.resume(None)
        return f"value {canonical_print(outcome.value)}", calls
    except LanguageError as error:
        return f"refused {error.kind}", calls
    except ProgramError as error:
        return f"error {error.kind}", calls
    except LimitError as error:
        return f"limit {error.dimension}", calls


def _answer(run: Any, call: Any, calls: list[str]) -> Any:
    freed = () if call.freed is None else (("freed", " ".join([*sorted(call.freed[0]), call.freed[1]])),)
    calls.append(_shown(call.capability, call.args, tuple(sorted((*call.hints.items(), *freed), key=lambda e: e[0]))))
    try:
        value = reply(call.capability, len(calls))
    except ProgramError as error:
        return run.throw(error)
    return run.resume(value)


def _shown(name: str, args: Any, hints: Any) -> str:
    return " ".join([name, *map(canonical_print, args), *(f"{k}={canonical_print(v)}" for k, v in hints)])


def expected(text: str) -> tuple[str, list[str]] | None:
    """Return the oracle's outcome and calls; None when the program takes too long to compare."""
    calls: list[str] = []

    def host(name: str, args: tuple[Any, ...], hints: tuple[Any, ...]) -> Any:
        calls.append(_shown(name, args, hints))
        return reply(name, len(calls))

    try:
        return f"value {canonical_print(Evaluator(host).program(text))}", calls
    except ProgramError as error:
        return f"error {error.kind}", calls
    except (OverBudgetError, RecursionError):
        return None


def difference(text: str, passes: frozenset[str] = ALL) -> str | None:
    """Return what is different between the two, or None."""
    wanted = expected(text)
    if wanted is None:
        return None
    got = compiled(text, passes)
    if got == wanted:
        return None
    return f"{text}\n  oracle:   {wanted[0]} after {wanted[1]}\n  compiled: {got[0]} after {got[1]}"
