"""Faults: what Python raises in generated code becomes an RTFS error with its place and its RTFS stack.

Generated code leaves rare mistakes to Python (a call with a wrong number of arguments, a name that is not bound yet);
the line of the failing frame says which call or name it was.
"""

from __future__ import annotations

from itertools import chain, pairwise
from types import TracebackType

from rtfs_framework.kernel.state import current
from rtfs_framework.lang import records
from rtfs_framework.lang.annotations import Any, Iterator
from rtfs_framework.lang.codegen.artifact import PASSES_ON, Artifact, SpanInfo
from rtfs_framework.lang.errors import (
    Cancelled,
    InternalError,
    LimitError,
    ProgramError,
    division_by_zero,
    type_error,
    undefined_symbol,
)
from rtfs_framework.lang.values import ErrorValue
from rtfs_framework.stdlib.arithmetic import too_large
from rtfs_framework.stdlib.callables import check_arity

STACK_SHOWN = 50
"""Frames kept of an RTFS stack: the innermost ones."""


def to_error(error: Exception) -> ErrorValue:
    """Return the error value of a caught exception, for `catch`.

    Raises:
        LimitError, Cancelled: limits and cancellation cannot be caught.
        InternalError: a bug of ours.
    """
    return to_program_error(error, current().artifact).value


def to_program_error(error: Exception, artifact: Artifact) -> ProgramError:
    """Return the RTFS error that an exception amounts to, with place and stack; see `to_error`."""
    if isinstance(error, LimitError | Cancelled | InternalError):
        raise error
    if isinstance(error, RecursionError):
        message = "Maximum recursion depth exceeded"
        raise LimitError("depth", 0, message) from None
    frames = _frames(error.__traceback__, artifact)
    made = error if isinstance(error, ProgramError) else _translate(error, frames, artifact)
    if made.value.span is None and frames:
        span, stack = _standing(frames, artifact)
        made.value = records.evolve(made.value, span=span, stack=stack)
    return made


def locate_limit(error: LimitError, traceback: TracebackType | None, artifact: Artifact) -> LimitError:
    """Return a limit's error with the place at which the program stood; `traceback` is that of what was raised."""
    frames = _frames(traceback, artifact)
    if frames and error.span is None:
        error.span, error.stack = _standing(frames, artifact)
    return error


def _standing(frames: list[TracebackType], artifact: Artifact) -> tuple[str, tuple[str, ...]]:
    """Return the place and the RTFS stack of where a program stands."""
    stack = tuple(f"{name} at {place}" for name, place in _stack(frames, artifact))
    return str(artifact.place(frames[-1].tb_lineno)), stack


def _frames(traceback: TracebackType | None, artifact: Artifact) -> list[TracebackType]:
    """Return the traceback's entries of generated code, outermost first."""
    out = []
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename == artifact.code.co_filename:
            out.append(traceback)
        traceback = traceback.tb_next
    return out


def _stack(frames: list[TracebackType], artifact: Artifact) -> list[tuple[str, str]]:
    """Return the innermost frames as (function, place): those left already, then those around the `catch`."""
    found: list[tuple[str, str]] = []
    place = ""
    for name, line in _entries(frames, artifact):
        place = place or str(artifact.place(line))
        if name:  # a part of a function has none: the function around it stands at the part's place
            found.append((name, place))
            place = ""
            if len(found) == STACK_SHOWN:
                break
    return found


def _entries(frames: list[TracebackType], artifact: Artifact) -> Iterator[tuple[str, int]]:
    """Yield the RTFS function and line of every frame, those included that were inlined into one of Python's."""
    for (code_name, line), around in pairwise(chain(_positions(frames, artifact), [("", 0)])):
        inlined = artifact.spans[line - 1].inlined
        if inlined == PASSES_ON:
            continue
        name = artifact.functions.get(code_name, "top level")
        # A part of a function stands where the function does: what both were inlined into is the function's to tell.
        told = None if name or not around[1] else artifact.spans[around[1] - 1].inlined
        while inlined is not None and inlined != told:
            yield inlined[0], line
            line = inlined[1]  # noqa: PLW2901 - where the call stood
            inlined = artifact.spans[line - 1].inlined
        yield name, line


def _positions(frames: list[TracebackType], artifact: Artifact) -> Iterator[tuple[str, int]]:
    """Yield the Python function and line of every frame of generated code, innermost first."""
    for left in reversed(frames):
        yield left.tb_frame.f_code.co_name, left.tb_lineno
    around = frames[0].tb_frame.f_back
    while around is not None:
        if around.f_code.co_filename == artifact.code.co_filename:
            yield around.f_code.co_name, around.f_lineno
        around = around.f_back


def _translate(error: Exception, frames: list[TracebackType], artifact: Artifact) -> ProgramError:
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    inner = frames[-1] if frames else None
    if isinstance(error, NameError) and inner is not None and last is inner:
        return undefined_symbol(_unbound(error, inner, artifact))
    if isinstance(error, TypeError) and inner is not None and last is inner:
        return _bad_call(artifact.spans[inner.tb_lineno - 1], inner)
    if isinstance(error, ZeroDivisionError):
        return division_by_zero()
    if isinstance(error, OverflowError) and inner is not None and last is inner:
        return too_large()
    if isinstance(error, OverflowError):
        return ProgramError("InvalidArgument", "Invalid argument: number too large")
    if isinstance(error, MemoryError):
        raise LimitError("memory", 0, "out of memory") from None
    message = f"{type(error).__name__}: {error}"
    raise InternalError(message) from error


_BRACKETS = str.maketrans("()[]{}", "      ")


def _unbound(error: NameError, frame: TracebackType, artifact: Artifact) -> str:
    name = getattr(error, "name", None)
    if name in artifact.globals:
        return artifact.globals[name].partition(" ")[0]  # one arity of a function means the function
    from rtfs_framework.lang.codegen.names import hint

    span = artifact.spans[frame.tb_lineno - 1].span
    text = artifact.sources[span.source].text[span.start : span.end]
    words = text.translate(_BRACKETS).split()
    local = name or str(error).partition("'")[2].partition("'")[0]  # of a local variable only the message tells
    wanted = local.rpartition("_")[0]
    return next((word for word in words if hint(word) == wanted), text)


def _bad_call(info: SpanInfo, frame: TracebackType) -> ProgramError:
    """Say what is wrong with a call that Python refused: not a function, or a wrong number of arguments."""
    scope = frame.tb_frame.f_locals
    function: Any = None
    if info.callee is not None:
        function = scope.get(info.callee, frame.tb_frame.f_globals.get(info.callee))
    if not callable(function):
        return type_error(info.display or "call", "function", function)
    try:
        check_arity(function, info.args)
    except ProgramError as found:
        return found
    raise InternalError(f"a call of {info.display or 'a function'} failed in Python")
