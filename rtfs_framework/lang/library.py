"""What the compiler knows of the library and the host: names and arities, passed down; it never imports them."""

from __future__ import annotations

from rtfs_framework.lang.annotations import Any, Callable, Mapping, Protocol
from rtfs_framework.lang.source import Source


class LibraryEntry(Protocol):
    """A builtin as the compiler sees it."""

    @property
    def name(self) -> str:
        """What its aliases stand for."""
        ...

    @property
    def low(self) -> int:
        """Least number of arguments."""
        ...

    @property
    def high(self) -> int | None:
        """Most arguments; None for any number."""
        ...

    @property
    def function(self) -> Callable[..., Any]:
        """What runs: passes compute calls on constants with it."""
        ...

    @property
    def effect(self) -> str | None:
        """None for a pure function; else what kind of request a call makes."""
        ...

    @property
    def signature(self) -> str:
        """Its parameters' names, as documentation shows them."""
        ...

    @property
    def types(self) -> str:
        """The function's type as a type expression, never narrower than the truth."""
        ...


Library = Mapping[str, LibraryEntry]
"""Names a program may use without defining them."""

Delegatable = Callable[[str], bool]
"""Tells whether a route or an engine may claim the function of this name."""


def nothing_delegatable(_name: str) -> bool:
    """Say no: no route or engine is configured."""
    return False


FindModule = Callable[[str], Source | None]
"""Returns the text of a module by its name (`a.b` for the file a/b.rtfs), or None."""


def no_modules(_name: str) -> Source | None:
    """Find nothing: programs that are texts without a folder."""
    return None
