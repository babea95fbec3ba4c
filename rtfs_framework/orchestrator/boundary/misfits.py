"""Why data of Python's is none of RTFS's, or the other way about: where, what was expected, and what there is."""

from __future__ import annotations

from typing import Any

from rtfs_framework.lang.errors import RtfsError
from rtfs_framework.lang.values import type_name

ANNOTATION = "E0937"
VALUE = "E0938"


class ConversionError(RtfsError):
    """A type (E0937) or a value (E0938) that does not cross between Python and RTFS. Nothing of the call has run."""

    def __init__(self, problem: str, way_out: str = "", *, code: str = VALUE) -> None:
        help_ = f"\n  help: {way_out}" if way_out else ""
        super().__init__(f"error[{code}]: {problem}{help_}")
        self.problem, self.way_out, self.code = problem, way_out, code


def misfit(where: str, expected: str, given: Any) -> ConversionError:
    """Return the error for a value of another type: its class is told, and never what it holds."""
    kind = given.__class__
    if any(each.__name__ == expected for each in kind.__mro__[1:]) and kind is not bool:
        problem = f"{where} is of {kind.__name__}, a subclass of {expected}, which would be lost"
        return ConversionError(problem, f"give {expected} itself, or declare {kind.__name__}")
    name = type_name(given)
    article = "an" if name[:1] in "aeiou" else "a"
    problem = f"{where} is no {expected}: it is {article} {name}"
    return ConversionError(problem, f"give a value of that type ({expected})")
