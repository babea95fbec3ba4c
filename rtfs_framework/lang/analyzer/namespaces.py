"""Namespaces: what top-level names mean in the program or in one module. Full names are `module/name`."""

from __future__ import annotations

from rtfs_framework.lang import records
from rtfs_framework.lang.source import Span

PRIVATE = "#"
"""A name that begins with it is a full name written by a macro: no program can write one, so nothing leaks."""


@records.define(eq=False)
class Namespace:
    """The program (name "") or a module: its own names, and those it imports."""

    name: str
    source: int = 0
    """The number of its text in the analyzer's sources."""
    own: set[str] = records.field(factory=set)
    visible: dict[str, str] = records.field(factory=dict)
    """Imported names as they are written here, to full names."""
    exports: tuple[str, ...] = ()
    types: set[str] = records.field(factory=set)
    """Types that it names, structs included."""

    def full(self, name: str) -> str | None:
        """Return the full name of what a name means here, or None when it is neither own nor imported."""
        if name in self.own:
            return self.mine(name)
        if name.startswith(PRIVATE):
            return name.removeprefix(PRIVATE)
        return self.visible.get(name)

    def mine(self, name: str) -> str:
        """Return the full name of a definition of this namespace."""
        return f"{self.name}/{name}" if self.name else name


@records.frozen()
class Imported:
    """An import as it stands in a text: the module's name and the place."""

    module: str
    span: Span
