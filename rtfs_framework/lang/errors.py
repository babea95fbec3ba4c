"""Errors of the language. The user's mistakes are `RtfsError`s; `InternalError` is a bug of ours.

`ProgramError` is what a running program raises and may catch; its message has the shape of LANGUAGE.md 11.1.
`LimitError` and `Cancelled` end a run and cannot be caught by the program.
"""

from __future__ import annotations

from rtfs_framework.lang import records
from rtfs_framework.lang.annotations import TYPE_CHECKING, Any, Sequence
from rtfs_framework.lang.values import ErrorValue, Ticket, type_name

if TYPE_CHECKING:
    from rtfs_framework.lang.diagnostics import Diagnostic


class RtfsError(Exception):
    """Base of everything that a user can cause."""


class LanguageError(RtfsError):
    """A program that was refused before it ran; carries every diagnostic found."""

    def __init__(self, diagnostics: Sequence[Diagnostic], beside: Sequence[Diagnostic] = ()) -> None:
        super().__init__("\n".join(d.render() for d in diagnostics))
        self.diagnostics = tuple(diagnostics)
        self.beside = tuple(beside)
        """What was found in the parts that were not refused: names that only a host could know, for one."""

    @property
    def kind(self) -> str:
        """The RTFS error kind of the first diagnostic."""
        return self.diagnostics[0].kind


class ProgramError(RtfsError):
    """An error raised while a program runs. `value` is what `catch` binds."""

    def __init__(self, kind: str, message: str, data: Any = None, cause: ErrorValue | None = None) -> None:
        super().__init__(message)
        self.value = ErrorValue(kind, message, data, None, (), cause)

    @classmethod
    def of(cls, value: ErrorValue) -> ProgramError:
        """Return the error that raises an existing error value."""
        error = cls(value.kind, value.message)
        error.value = value
        return error

    def of_program(self) -> ProgramError:
        """Return the error as one of which the program is to blame, although its host found it."""
        self.value = records.evolve(self.value, of_host=False)
        return self

    @property
    def kind(self) -> str:
        """The error kind, such as "TypeError"."""
        return self.value.kind

    @property
    def message(self) -> str:
        """The message as `(getMessage e)` gives it."""
        return self.value.message


class LimitError(RtfsError):
    """A run that was stopped by a limit of its host: `dimension` names it, `limit` is its bound."""

    def __init__(self, dimension: str, limit: float, message: str) -> None:
        super().__init__(message)
        self.dimension = dimension
        self.limit = limit
        self.span: str | None = None
        """The place at which the run was stopped."""
        self.stack: tuple[str, ...] = ()


class Cancelled(RtfsError):
    """A run that its host closed before it ended."""


class InternalError(Exception):
    """A bug of ours, never the user's mistake. Please report it with the program that shows it."""


def type_error(op: str, expected: str, got: Any) -> ProgramError:
    """`Type error in OP: expected T, got U`; `got` is the offending value."""
    way_out = " ((await t) gives what it stands for)" if got.__class__ is Ticket else ""
    return ProgramError("TypeError", f"Type error in {op}: expected {expected}, got {type_name(got)}{way_out}")


def arity_error(function: str, expected: str, got: int) -> ProgramError:
    """`Arity mismatch in F: expected N, got M`; `expected` is "2", "at least 1" or "between 1 and 2"."""
    return ProgramError("ArityMismatch", f"Arity mismatch in {function}: expected {expected}, got {got}")


def index_error(index: int, length: int) -> ProgramError:
    """`Index I out of bounds for collection of length N`."""
    # Python refuses to print integers of thousands of digits.
    text = str(index) if index.bit_length() <= 1024 else f"{hex(index)[:32]}..."
    return ProgramError("IndexOutOfBounds", f"Index {text} out of bounds for collection of length {length}")


def invalid_argument(message: str) -> ProgramError:
    """`Invalid argument: ...` (the right type, an impossible value)."""
    return ProgramError("InvalidArgument", f"Invalid argument: {message}")


def invalid_arguments(expected: str, actual: str) -> ProgramError:
    """`Invalid arguments: expected E, got A` (step forms, context access)."""
    return ProgramError("InvalidArguments", f"Invalid arguments: expected {expected}, got {actual}")


def generic_error(message: str) -> ProgramError:
    """`Runtime error: ...` for what has no kind of its own."""
    return ProgramError("Generic", f"Runtime error: {message}")


def undefined_symbol(name: str) -> ProgramError:
    """`Undefined symbol: x`."""
    return ProgramError("UndefinedSymbol", f"Undefined symbol: {name}").of_program()


def division_by_zero() -> ProgramError:
    """`Division by zero`."""
    return ProgramError("DivisionByZero", "Division by zero")


def type_validation_error(message: str) -> ProgramError:
    """`Type validation error: ...` for a failed annotation."""
    return ProgramError("TypeValidationError", f"Type validation error: {message}")
