"""The kinds of errors (LANGUAGE.md 11.1) and the families of `catch`."""

from __future__ import annotations

from rtfs_framework.lang.values import ErrorValue

KINDS = (
    *("UndefinedSymbol", "TypeError", "ArityMismatch", "DivisionByZero", "IndexOutOfBounds", "InvalidArgument"),
    *("InvalidArguments", "MatchError", "TypeValidationError", "Generic", "ApplicationError", "InternalError"),
    *("NotImplemented", "KeyNotFound", "ModuleNotFound", "ModuleError", "SymbolNotFound", "UnknownCapability"),
    *("SecurityViolation", "NetworkError", "IoError", "JsonError", "StorageError", "ResourceError"),
    *("BudgetExhausted", "Cancelled", "JournalError"),
)
"""The kinds that an error may have of which a program knows nothing else."""

ALL = frozenset({"_", "Exception", "Throwable"})
"""What a clause is called that takes every error."""

_VALIDATION = frozenset({"TypeValidationError", "TypeError", "ArityMismatch"})

FAMILIES = {
    "RuntimeError": "what the program or the library raised, thrown values included",
    "HostError": "what came from the host",
    "ValidationError": f"any of {', '.join(sorted(_VALIDATION))}",
}
"""Words that take errors of several kinds, and which."""


def takes(kind: str, error: ErrorValue) -> bool:
    """Tell whether a clause for a kind or family takes an error."""
    match kind:
        case error.kind:
            return True
        case "RuntimeError" | "HostError":
            return bool(error.of_host) == (kind == "HostError")
        case _:
            return kind == "ValidationError" and error.kind in _VALIDATION
