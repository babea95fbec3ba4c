"""IR as bytes: the same program gives the same bytes, whatever its text looked like.

A variable is written as its name and marks where it is bound first, and from then on as its number: variables are
counted in the order in which they are bound. Spans, call sites and all that the reader finds out again are left out.
"""

from __future__ import annotations

from rtfs_framework.lang.annotations import Any, Callable, Mapping
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.ir.loops import Made
from rtfs_framework.lang.published import data
from rtfs_framework.lang.published.rows import PublishedError, write_rows
from rtfs_framework.lang.published.tables import (
    LEAVES_PART,
    LOOPED,
    NODE_TAGS,
    NODES,
    PATTERN_TAGS,
    PATTERNS,
)
from rtfs_framework.lang.published.version import FORMAT, NAME
from rtfs_framework.lang.signature import FunctionSignature
from rtfs_framework.lang.stack import room_for_recursion
from rtfs_framework.lang.types.model import Type

_MADE: tuple[type[Any], ...] = Made.__args__


@room_for_recursion()
def encode(program: ir.Program, compiler: str, types: Mapping[str, Type] | None = None) -> bytes:
    """Return a program as bytes; `compiler` is the version that analyzed it.

    Raises:
        PublishedError: it was changed by passes, holds constants that are no data, is too large or too deep.
    """
    named = program.types if types is None else types
    writer = _Writer()
    try:
        body = [writer.node(node) for node in program.body]
        declared = [[name, data.type_row(declared)] for name, declared in sorted((named or {}).items())]
    except RecursionError:
        raise PublishedError("it nests too deeply") from None
    return write_rows([NAME, FORMAT, compiler, declared, body])


class _Writer:
    """Writes one program."""

    def __init__(self) -> None:
        self._numbers: dict[ir.Var, int] = {}
        self._write: dict[str, Callable[[Any], Any]] = {
            "node": self.node,
            "nodes": lambda many: [self.node(each) for each in many],
            "maybe-node": self._maybe_node,
            "pattern": self._pattern,
            "patterns": lambda many: [self._pattern(each) for each in many],
            "maybe-pattern": lambda one: None if one is None else self._pattern(one),
            "var": self._bound,
            "vars": lambda many: [self._bound(each) for each in many],
            "maybe-var": lambda one: None if one is None else self._bound(one),
            "read": self._read,
            "frame": lambda frame: frame is not None,
            "type": data.type_row,
            "value": data.value_row,
            **dict.fromkeys(("name", "builtin", "text", "flag"), lambda one: one),
            "bindings": self._bindings,
            "clauses": lambda many: [
                [self._pattern(each.pattern), self._maybe_node(each.guard), self.node(each.body)] for each in many
            ],
            "catches": lambda many: [
                [each.kinds, [self._bound(var) for var in each.vars], self.node(each.body)] for each in many
            ],
            "pairs": lambda many: [[self._key(key), self.node(each)] for key, each in many],
            "hints": lambda many: [[key, self.node(each)] for key, each in many],
            "entries": lambda many: [
                [data.value_row(each.key), self._pattern(each.pattern), self._maybe_node(each.default)] for each in many
            ],
        }

    def node(self, node: ir.Node) -> list[Any]:
        """Return the row of a node."""
        if isinstance(node, ir.Fn):
            return self._function(node)
        if isinstance(node, _MADE):
            raise PublishedError("only what no pass has changed is published")
        row: list[Any] = self._row(NODE_TAGS[node.__class__], NODES, node)
        return row

    def _row(self, tag: str, table: Mapping[str, tuple[type[Any], tuple[tuple[str, str], ...]]], record: Any) -> Any:
        return [tag, *(self._write[how](getattr(record, field)) for field, how in table[tag][1])]

    def _maybe_node(self, node: ir.Node | None) -> list[Any] | None:
        return None if node is None else self.node(node)

    def _pattern(self, pattern: ir.Pattern) -> list[Any]:
        row: list[Any] = self._row(PATTERN_TAGS[pattern.__class__], PATTERNS, pattern)
        return row

    def _key(self, key: Any) -> list[Any]:
        """Return the row of a key of a map, which is a value or a node."""
        return ["node", self.node(key)] if key.__class__ in NODE_TAGS else ["value", data.value_row(key)]

    def _bound(self, var: ir.Var) -> Any:
        known = self._numbers.get(var)
        if known is not None:
            return known
        self._numbers[var] = len(self._numbers)
        return [var.name, LOOPED * var.looped + LEAVES_PART * var.leaves_part]

    def _read(self, var: ir.Var) -> int:
        try:
            return self._numbers[var]
        except KeyError:
            raise PublishedError(f"{var.name} is read before it is bound") from None

    def _bindings(self, bindings: tuple[tuple[ir.Var, ir.Fn], ...]) -> list[Any]:
        names = [self._bound(var) for var, _ in bindings]
        return [names, [self._function(fn) for _, fn in bindings]]

    def _function(self, fn: ir.Fn) -> list[Any]:
        captures = [self._read(var) for var in fn.captures]
        params = [self._param(each) for each in fn.params]
        rest = None if fn.rest is None else self._param(fn.rest)
        returns, told = data.type_row(fn.returns), _told(fn)
        return ["fn", fn.name, captures, params, rest, returns, told, fn.linked, self.node(fn.body)]

    def _param(self, param: ir.Param) -> list[Any]:
        return [self._pattern(param.pattern), data.type_row(param.type)]


def _told(fn: ir.Fn) -> list[Any]:
    """Return what a function's signature says that its parameters do not."""
    told: FunctionSignature = fn.signature
    hint = None if told.hint is None else [told.hint.kind.value, told.hint.id]
    names = [each.name for each in told.parameters]
    return [told.name, told.doc, names, hint, data.value_row(told.metadata), told.body_digest]
