"""The digest of definitions: equal only where the code and all that it says is equal, whatever stands around it.

In: top-level names with the nodes that they are bound to, in the order of the program. Out: SHA-256 (hex). Spans do
not count, so comments and layout do not either; names of functions and variables do, for messages of errors say them.
Maps, sets and floats count as they stand: of code, two orders of entries are not the same, and -0.0 is not 0.0.
"""

from __future__ import annotations

from enum import Enum

from rtfs_framework.lang import records
from rtfs_framework.lang.annotations import Any, Iterable, Mapping
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.maps import Map, Set
from rtfs_framework.lang.sha import sha256
from rtfs_framework.lang.values import Keyword
from rtfs_framework.lang.vectors import GrownVector, List

VERSION = "RTFS definitions 1"

_LEFT_OUT = frozenset({"span", "entry", "op", "signature", "captures", "summaries", "linked"})
"""Fields that say where something stands, or again what other fields say."""
_ATOMS = frozenset({type(None), bool, int, float, str})


def definitions_digest(definitions: Iterable[tuple[str, ir.Node]], types: Mapping[str, Any]) -> str:
    """Return the digest of definitions, and of what the names of types stand for.

    Raises:
        TypeError: A constant is of a kind that no digest knows.
        RecursionError: They nest too deeply.
    """
    writer = _Writer()
    writer.write(VERSION)
    for name, node in definitions:
        writer.write(name)
        writer.write(node)
    writer.write(sorted(types))
    for name in sorted(types):
        writer.write(types[name])
    return sha256("".join(writer.out).encode("utf-8", "surrogatepass")).hexdigest()


class _Writer:
    """Writes values as framed text; variables and functions are numbered as they come."""

    def __init__(self) -> None:
        self.out: list[str] = []
        self._numbers: dict[Any, int] = {}

    def write(self, value: Any) -> None:
        """Write one value."""
        kind = value.__class__
        if kind in _ATOMS:
            text = value.hex() if kind is float else hex(value) if kind is int else str(value)
            self.out.append(f"{kind.__name__}{len(text)}:{text}")
        elif kind is ir.Var or kind is ir.FunctionFrame:
            number = self._numbers.setdefault(value, len(self._numbers))
            self.out.append(f"{kind.__name__}{number};")
            if kind is ir.Var:
                self.write(value.name)
        elif kind is Keyword:
            self._row("keyword", (value.name,))
        elif kind is tuple or kind is GrownVector or kind is list:
            self._row("vector", value)
        elif kind is List or kind is Set:
            self._row(kind.__name__, list(value))
        elif kind is Map or kind is dict:
            self._row("map", [part for entry in value.items() for part in entry])
        elif isinstance(value, Enum):
            self._row(kind.__name__, (value.value,))
        else:
            self._record(value)

    def _record(self, value: Any) -> None:
        kind = value.__class__
        if not kind.__module__.startswith("rtfs_framework.lang."):
            message = f"{kind.__name__} has no digest"
            raise TypeError(message)
        fields = [field.name for field in records.fields_of(kind) if field.name not in _LEFT_OUT]
        self._row(f"{kind.__module__}.{kind.__name__}", [getattr(value, name) for name in fields])

    def _row(self, kind: str, parts: Any) -> None:
        self.out.append(f"{kind}{len(parts)}(")
        for part in parts:
            self.write(part)
        self.out.append(")")
