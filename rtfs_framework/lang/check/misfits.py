"""Whether what a node gives surely does not fit a declared type, and why.

Literals are checked by the very checker that runs; of collections written out, every part is looked at on its own; of
all else the kinds are compared. None means: it may fit.
"""

from __future__ import annotations

from rtfs_framework.lang.annotations import Any, Callable
from rtfs_framework.lang.check.kinds import NIL, Kinds, of_type, words
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.types import model as ty
from rtfs_framework.lang.types.check import violation
from rtfs_framework.lang.types.failure import step_of
from rtfs_framework.lang.types.model import Primitive, Type
from rtfs_framework.lang.types.names import Lookup, resolve
from rtfs_framework.lang.types.show import show_type
from rtfs_framework.lang.values import Keyword

_DEEPEST = 40


class Misfits:
    """Compares nodes, whose kinds are known, with types."""

    def __init__(self, lookup: Lookup, kinds_of: Callable[[ir.Node], Kinds]) -> None:
        self._lookup = lookup
        self._kinds_of = kinds_of

    def why(self, node: ir.Node, type_: Type, path: str = "", depth: int = 0) -> str | None:
        """Return why a node's value cannot fit, in words, or None when it may."""
        if depth > _DEEPEST or type_ is Primitive.ANY:
            return None
        if isinstance(node, ir.Const):
            message = violation(type_, node.value, self._lookup)
            return None if message is None else self._placed(message, path)
        kinds = self._kinds_of(node)
        if not kinds:
            return None
        inside = self._inside(node, type_, path, depth)
        if inside is not None:
            return inside
        return None if kinds & of_type(type_, self._lookup) else self._mismatch(type_, kinds, path)

    def _mismatch(self, type_: Type, kinds: Kinds, path: str) -> str:
        where = f" at {path}" if path else ""
        return f"Type mismatch{where}: expected {show_type(type_)}, got {words(kinds)}"

    def _placed(self, message: str, path: str) -> str:
        """Put the path in front of the checker's own words."""
        head, colon, tail = message.partition(":")
        if not path or not colon:
            return f"{message} at {path}" if path else message
        place = head.partition(" at ")
        return f"{place[0]} at {path}{place[2]}:{tail}"

    def _inside(self, node: ir.Node, type_: Type, path: str, depth: int) -> str | None:
        """Look into the type, and into a collection that is written out."""
        match type_:
            case ty.NamedType(name):
                found = resolve(name, self._lookup)
                return None if found is None else self.why(node, found, path, depth + 1)
            case ty.OptionalType(inner):
                return None if self._kinds_of(node) & NIL else self.why(node, inner, path, depth + 1)
            case ty.UnionType(members):
                reasons = [self.why(node, member, path, depth + 1) for member in members]
                if any(reason is None for reason in reasons):
                    return None
                return self._mismatch(type_, self._kinds_of(node), path)
            case ty.AndType(members):
                reasons = [self.why(node, member, path, depth + 1) for member in members]
                return next((reason for reason in reasons if reason is not None), None)
            case _:
                return self._parts(node, type_, path, depth)

    def _parts(self, node: ir.Node, type_: Type, path: str, depth: int) -> str | None:
        match node, type_:
            case ir.VectorNode(items=items), ty.VectorType(item) | ty.ListType(item):
                return self._each([(n, item) for n in items], path, depth)
            case ir.SetNode(items=items), ty.SetType(item):
                return self._each([(n, item) for n in items], path, depth)
            case ir.VectorNode(items=items), ty.TupleType(types):
                if len(items) != len(types):
                    where = f" at {path}" if path else ""
                    return f"Shape violation{where}: expected {len(types)} items, got {len(items)}"
                return self._each(list(zip(items, types, strict=True)), path, depth)
            case ir.MapNode(), ty.MapType():
                return self._map(node, type_, path, depth)
            case _:
                return None

    def _each(self, pairs: list[tuple[ir.Node, Type]], path: str, depth: int) -> str | None:
        for i, (node, type_) in enumerate(pairs):
            reason = self.why(node, type_, f"{path}[{i}]", depth + 1)
            if reason is not None:
                return reason
        return None

    def _map(self, node: ir.MapNode, type_: ty.MapType, path: str, depth: int) -> str | None:
        """Entries of a map literal: its keys are all known; the last of equal keys counts."""
        given: dict[tuple[type, Any], ir.Node] = {(key.__class__, key): value for key, value in node.pairs}
        for entry in type_.entries:
            value = given.get((entry.key.__class__, entry.key))
            if value is None and isinstance(entry.key, Keyword):
                value = given.get((str, entry.key.name))
            step = f"{path}{step_of(entry.key)}"
            if value is None:
                if not entry.optional:
                    return f"Missing required key {step_of(entry.key).replace('.', ':', 1)}" + (
                        f" at {path}" if path else ""
                    )
                continue
            reason = self.why(value, entry.type, step, depth + 1)
            if reason is not None:
                return reason
        return None
