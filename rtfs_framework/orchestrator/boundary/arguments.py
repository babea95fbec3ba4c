"""What callers of the Python API hand in, as values of programs: the conversion of `handover`, or an `ArgumentError`.

In: the arguments of a call, or a record of a stream. Out: values that programs can hold. What is a value already is
looked through once and stays the same object. A function is taken where it is the program's own, or the library's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rtfs_framework.lang.errors import ProgramError
from rtfs_framework.lang.maps import Map
from rtfs_framework.lang.values import Keyword
from rtfs_framework.orchestrator.boundary.purity import UNTAGGED, is_plain

if TYPE_CHECKING:
    from rtfs_framework.kernel.instance import Instance


class ArgumentError(ProgramError):
    """An argument that no program can hold: which, of what class, and what to give instead. Nothing of the call ran."""

    code = "E0921"

    def __init__(self, which: str, problem: str) -> None:
        super().__init__("TypeValidationError", f"{which} is {problem}", Map.wrap({Keyword("code"): self.code}))
        self._way_out = problem.partition("; ")[2]

    @property
    def help(self) -> str:
        """What to give instead."""
        return self._way_out


def taken_all(instance: Instance, name: str, args: Any) -> tuple[Any, ...]:
    """Return the arguments of a call of `name` as values.

    Raises:
        ArgumentError: One is none, or they are no tuple or list.
    """
    if not isinstance(args, tuple | list):
        kind = type(args).__name__
        raise ArgumentError(f"what {name} shall be called with", f"a {kind}; give a tuple of the arguments: (x,)")
    return tuple(taken(instance, arg, f"argument {place} of {name}") for place, arg in enumerate(args, 1))


def taken(instance: Instance, given: Any, which: str) -> Any:
    """Return one argument as a value; `which` names it where it is refused.

    Raises:
        ArgumentError: It is none.
    """
    if is_plain(given, UNTAGGED):
        return given
    from rtfs_framework.orchestrator.boundary.handover import NoValueError, as_value
    from rtfs_framework.registry.problems import describe

    try:
        return as_value(given, own=instance.owns)
    except NoValueError as error:
        raise ArgumentError(which, str(error)) from None
    except Exception as error:
        raise ArgumentError(which, f"a {type(given).__name__} that cannot be read: {describe(error)}") from error
