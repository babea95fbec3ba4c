"""Constant folding: calls of pure library functions on constants are computed by the library itself, once.

In: a program. Out: the same, with constants for calls that surely succeed, and for the variables that hold one. What
fails is left for run time, where its error has a place. Arguments and results are bounded, so that neither compiling
nor the program grows.
"""

from __future__ import annotations

from rtfs_framework.lang import records
from rtfs_framework.lang.annotations import Any, Callable
from rtfs_framework.lang.errors import RtfsError
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.ir.summary import Summary, changed
from rtfs_framework.lang.ir.walk import rebuild
from rtfs_framework.lang.library import Library, LibraryEntry
from rtfs_framework.lang.values import Keyword

_BITS = 256
_LENGTH = 256


def fold(program: ir.Program, _library: Library) -> ir.Program:
    """Return the program with its constant calls computed."""
    return changed(program, lambda node, seen: _Folding().go(node) if _starts(seen) else node)


def _starts(seen: Summary) -> bool:
    """Tell whether folding may begin somewhere: all that it does elsewhere follows from that."""
    return any(kind in _BEGINS and any(map(_BEGINS[kind], nodes)) for kind, nodes in seen.by_kind.items())


def _is_const(node: ir.Node) -> bool:
    return node.__class__ is ir.Const


_BEGINS: dict[type, Callable[[Any], bool]] = {
    ir.If: lambda node: _is_const(node.test),
    ir.Bind: lambda node: _is_const(node.value) and node.type is None and isinstance(node.pattern, ir.PVar),
    ir.Call: lambda node: isinstance(node.function, ir.Builtin) and all(map(_is_const, node.args)),
    ir.VectorNode: lambda node: all(map(_is_const, node.items)),
    ir.Do: lambda node: any(map(_is_const, node.items)),
}


class _Folding:
    def __init__(self) -> None:
        self._constants: dict[ir.Var, ir.Const] = {}
        """The variables that hold constants; each is bound before it is read, and once."""

    def go(self, node: ir.Node) -> ir.Node:
        """Return a node with the constants in it computed, from the inside out."""
        made = rebuild(node, self.go)
        match made:
            case ir.Local(var=var) if var in self._constants:
                return records.evolve(self._constants[var], span=made.span)
            case ir.Bind(pattern=ir.PVar(var=var), value=ir.Const(value=value) as constant, type=None):
                if not var.leaves_part and value.__class__ is not tuple and _small(value):
                    self._constants[var] = constant
                return made
            case ir.Fn(captures=captures) if not self._constants.keys().isdisjoint(captures):
                return records.evolve(made, captures=tuple(var for var in captures if var not in self._constants))
            case ir.Call(function=ir.Builtin(entry=entry)) if entry is not None and entry.cheap:
                return _computed(made, entry)
            case ir.If(test=ir.Const(value=value)):
                return made.then if _true(value) else made.otherwise
            case ir.Do(items=items) if len(items) > 1:
                kept = (*(item for item in items[:-1] if not self._says_nothing(item)), items[-1])
                if len(kept) == len(items):
                    return made
                return kept[0] if len(kept) == 1 else records.evolve(made, items=kept)
            case ir.VectorNode(items=items):
                return _vector(made)
            case _:
                return made

    def _says_nothing(self, node: ir.Node) -> bool:
        if isinstance(node, ir.Bind):
            return isinstance(node.pattern, ir.PVar) and node.pattern.var in self._constants
        return isinstance(node, ir.Const)


def _computed(call: ir.Call, entry: LibraryEntry) -> ir.Node:
    values = [arg.value for arg in call.args if isinstance(arg, ir.Const) and _small(arg.value)]
    if len(values) != len(call.args):
        return call
    try:
        result = entry.function(*values)
    except (RtfsError, ArithmeticError, TypeError, ValueError):
        return call
    return ir.Const(result, call.span) if _small(result) else call


def _vector(node: ir.VectorNode) -> ir.Node:
    values = tuple(item.value for item in node.items if isinstance(item, ir.Const) and _small(item.value))
    return ir.Const(values, node.span) if values and len(values) == len(node.items) <= _LENGTH else node


def _true(value: Any) -> bool:
    return value is not None and value is not False


def _small(value: Any) -> bool:
    """Tell whether a value is a small constant."""
    kind = value.__class__
    if kind is int:
        return bool(value.bit_length() <= _BITS)
    if kind is str:
        return len(value) <= _LENGTH
    if kind is tuple:
        return len(value) <= _LENGTH and all(_small(item) and item.__class__ is not tuple for item in value)
    return kind in (float, bool, type(None), Keyword)
