"""The codes of errors that a program raises: by their kind, with the usual way out. Pages of them are in `codes.md`."""

from __future__ import annotations

OTHER = "E0500"
"""Of a kind that has no code of its own."""
LIMIT = "E0520"

KINDS: dict[str, tuple[str, str]] = {
    "UndefinedSymbol": ("E0501", "define the name before it is used"),
    "TypeError": ("E0502", "convert the value, or test its type first"),
    "ArityMismatch": ("E0503", "give as many arguments as the function has parameters"),
    "DivisionByZero": ("E0504", "test the divisor first, or catch DivisionByZero"),
    "IndexOutOfBounds": ("E0505", "test the length first, or give a default"),
    "InvalidArgument": ("E0506", ""),
    "InvalidArguments": ("E0507", ""),
    "MatchError": ("E0508", "add a clause for the rest: _ VALUE"),
    "TypeValidationError": ("E0509", "the value must have the declared type; the message says where it has not"),
    "SecurityViolation": ("E0510", "grant it in [security] of delegation.toml"),
    "NotImplemented": ("E0511", ""),
    "ApplicationError": ("E0512", ""),
    "JsonError": ("E0513", ""),
    "UnknownCapability": ("E0514", "`rtfs plugins` shows which capabilities there are"),
    "NetworkError": ("E0515", "`rtfs runs show last` shows the call"),
    "Cancelled": ("E0516", ""),
    "LimitError": (LIMIT, "the host bounds every run; make the program do less at once"),
}
"""Error kind to its code and the usual way out."""
