"""What annotations name of `typing` and `collections.abc`. When a program runs these are empty classes.

Annotations are texts here, and nobody reads them then; but importing the two takes as long as starting Python.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Container, Iterable, Iterator, Mapping, Sequence, Sized
    from typing import Any, ClassVar, Literal, NoReturn, ParamSpec, Protocol, TypeGuard, TypeVar
else:

    class _Name:
        """Takes parameters, and is a part of unions, as aliases of types ask for."""

        def __init__(self, *_given: object, **_named: object) -> None:
            """Make a type variable of anything."""

        def __class_getitem__(cls, _parameters: object) -> type:
            return cls

    class Protocol:
        """A class like others."""

    Any = Callable = ClassVar = Collection = Container = Iterable = Iterator = Literal = Mapping = NoReturn = _Name
    ParamSpec = Sequence = Sized = TypeGuard = TypeVar = _Name

__all__ = [
    "TYPE_CHECKING",
    "Any",
    "Callable",
    "ClassVar",
    "Collection",
    "Container",
    "Iterable",
    "Iterator",
    "Literal",
    "Mapping",
    "NoReturn",
    "ParamSpec",
    "Protocol",
    "Sequence",
    "Sized",
    "TypeGuard",
    "TypeVar",
]
