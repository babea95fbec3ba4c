"""What the library's functions take and give, as kinds: read from the types of its table, each when it is needed."""

from __future__ import annotations

from functools import lru_cache, reduce
from operator import or_

from rtfs_framework.lang import records
from rtfs_framework.lang.annotations import Sequence
from rtfs_framework.lang.check.kinds import ANY, FUNCTION, INT, SEQUENCE, VECTOR, Kinds, of_type
from rtfs_framework.lang.library import LibraryEntry
from rtfs_framework.lang.reader.read import read_one
from rtfs_framework.lang.source import Source
from rtfs_framework.lang.types.model import FunctionType, Type, UnionType
from rtfs_framework.lang.types.names import no_names
from rtfs_framework.lang.types.read import read_type


@records.frozen()
class Way:
    """One way to call a function: the kinds of its parameters, of the rest (None: no more), and of its result."""

    parameters: tuple[Kinds, ...]
    rest: Kinds | None
    result: Kinds

    def takes(self, i: int) -> Kinds:
        """Return what the argument at a place may be."""
        if i < len(self.parameters):
            return self.parameters[i]
        return ANY if self.rest is None else self.rest

    def misfit(self, given: Sequence[Kinds]) -> int | None:
        """Return the place of the first argument that cannot fit."""
        return next((i for i, kinds in enumerate(given) if not kinds & self.takes(i)), None)

    def admits(self, count: int) -> bool:
        """Tell whether a call with so many arguments goes this way."""
        return count == len(self.parameters) or (count > len(self.parameters) and self.rest is not None)


INTERNAL: dict[str, tuple[Way, ...]] = {
    "%for": (Way((SEQUENCE, FUNCTION), None, VECTOR),),
    "%dotimes": (Way((INT, FUNCTION), None, ANY),),
}
"""What lowered forms call."""


def ways(name: str, entry: LibraryEntry | None, count: int) -> list[Way]:
    """Return the ways to call a library function, or what a lowered form calls, with so many arguments."""
    return [way for way in _of_types(name if entry is None else entry.types) if way.admits(count)]


def result(name: str, entry: LibraryEntry | None, given: Sequence[Kinds]) -> Kinds | None:
    """Return what a call may give for arguments of some kinds; None when they fit no way to call it."""
    return _result(name if entry is None else entry.types, tuple(given))


@lru_cache(maxsize=4096)
def _result(types: str, given: tuple[Kinds, ...]) -> Kinds | None:
    possible = [way for way in _of_types(types) if way.admits(len(given))]
    fitting = [way.result for way in possible if way.misfit(given) is None]
    return reduce(or_, fitting) if fitting else None if possible else ANY


@lru_cache(maxsize=1024)
def _of_types(types: str) -> tuple[Way, ...]:
    """Return the ways of a type; of one of the compiler's own functions, by its name."""
    if types.startswith("%"):
        return INTERNAL.get(types, ())
    source = Source("<library>", types)
    return tuple(_ways(read_type(read_one(source), source)))


def _ways(type_: Type) -> list[Way]:
    if isinstance(type_, UnionType):
        return [way for member in type_.members for way in _ways(member)]
    if not isinstance(type_, FunctionType):
        return []
    rest = None if type_.rest is None else of_type(type_.rest, no_names)
    parameters = tuple(of_type(each, no_names) for each in type_.parameters)
    return [Way(parameters, rest, of_type(type_.returns, no_names))]
