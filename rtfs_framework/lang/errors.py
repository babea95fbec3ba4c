"""Errors of the language. The user's mistakes are `RtfsError`s; `InternalError` is a bug of ours.

`ProgramError` is what a running program raises and may catch; its message has the shape of LANGUAGE.md 11.1.
`LimitError` and `Cancelled` end a run and cannot be caught by the program.
"""

from __future__ import annotations

from rtfs_framework.lang import records
from rtfs_framework.lang.annotations import TYPE_CHECKING, Any, Sequence
from rtfs_framework.lang.values import ErrorValue, Keyword, Ticket, type_name

if TYPE_CHECKING:
    from rtfs_framework.lang.diagnostics import Diagnostic
    from rtfs_framework.lang.source import Place


class RtfsError(Exception):
    """Base of everything that a user can cause. `code` is stable (`rtfs explain CODE` says more), such as "E0502"."""

    code: str = "E0500"

    @property
    def place(self) -> Place | None:
        """Where in a program or configuration it is, None where that is not known."""
        return None

    @property
    def help(self) -> str:
        """What to do about it, "" where nothing can be said."""
        said = getattr(self, "way_out", None)
        return said if isinstance(said, str) else ""


class LanguageError(RtfsError):
    """A program that was refused before it ran; carries every diagnostic found."""

    def __init__(self, diagnostics: Sequence[Diagnostic], beside: Sequence[Diagnostic] = ()) -> None:
        super().__init__("\n".join(d.render() for d in diagnostics))
        self.diagnostics = tuple(diagnostics)
        self.code = self.diagnostics[0].code if self.diagnostics else RtfsError.code
        self.beside = tuple(beside)
        """What was found in the parts that were not refused: names that only a host could know, for one."""

    @property
    def kind(self) -> str:
        """The RTFS error kind of the first diagnostic."""
        return self.diagnostics[0].kind

    @property
    def place(self) -> Place | None:
        """Where the first diagnostic is."""
        return self.diagnostics[0].place if self.diagnostics else None

    @property
    def help(self) -> str:
        """The way out of the first diagnostic."""
        return (self.diagnostics[0].help if self.diagnostics else None) or ""


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
    def code(self) -> str:  # type: ignore[override]  # it follows `value`, which is made more exact on its way
        """The code that its data name, else that of its kind."""
        return self._datum("code") or self._usual()[0]

    @property
    def place(self) -> Place | None:
        """Where the program was when it failed."""
        return _place(self.value.span)

    @property
    def help(self) -> str:
        """The way out that its data name, else the usual one of its kind."""
        return self._datum("way-out") or ("" if self._datum("code") else self._usual()[1])

    def _usual(self) -> tuple[str, str]:
        """Return the code and the way out of its kind."""
        from rtfs_framework.lang.error_codes import KINDS  # a program that ends well needs none

        return KINDS.get(self.value.kind, (RtfsError.code, ""))

    def _datum(self, name: str) -> str:
        data = self.value.data
        found = data.get(Keyword(name)) if data.__class__.__name__ == "Map" else None
        return found if isinstance(found, str) else ""

    @property
    def message(self) -> str:
        """The message as `(getMessage e)` gives it."""
        return self.value.message


class LimitError(RtfsError):
    """A run that was stopped by a limit of its host: `dimension` names it, `limit` is its bound."""

    code = "E0520"

    def __init__(self, dimension: str, limit: float, message: str) -> None:
        super().__init__(message)
        self.dimension = dimension
        self.limit = limit
        self.span: str | None = None
        """The place at which the run was stopped."""
        self.stack: tuple[str, ...] = ()

    @property
    def place(self) -> Place | None:
        """Where the run was stopped."""
        return _place(self.span)

    @property
    def help(self) -> str:
        """How a limit is raised."""
        return "make the program do less, or raise the limit: [limits] of delegation.toml"


class Cancelled(RtfsError):
    """A run that its host closed before it ended."""

    code = "E0516"


class InternalError(Exception):
    """A bug of ours, never the user's mistake. Please report it with the program that shows it."""


def _place(text: str | None) -> Place | None:
    """Return the place that a text such as `file:3:5` names."""
    from rtfs_framework.lang.source import Place

    name, line, column = ["", "", ""] if text is None or text.count(":") < 2 else text.rsplit(":", 2)
    return Place(name, int(line), int(column)) if line.isdigit() and column.isdigit() else None


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
