"""Annotations with a name that is no type: nothing ever fits them.

Said as a warning where the annotation stands, for whoever gets there fails; a check of the value could only say so for
a value that is known.
"""

from __future__ import annotations

from collections.abc import Iterator

import attrs

from rtfs_framework.lang.check.facts import Facts
from rtfs_framework.lang.diagnostics import Diagnostic, did_you_mean
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.source import Span
from rtfs_framework.lang.types.model import NamedType, Type
from rtfs_framework.lang.types.names import PRIMITIVES, resolve

CODE = "E0324"

_ELSEWHERE = {
    **dict.fromkeys(("number", "num", "numeric"), "write [:union :int :float], or :float, which takes integers too"),
    **dict.fromkeys(("integer", "long", "bigint"), "did you mean ':int'?"),
    **dict.fromkeys(("double", "real", "decimal"), "did you mean ':float'?"),
    **dict.fromkeys(("str", "text", "char"), "did you mean ':string'?"),
    **dict.fromkeys(("boolean", "logical"), "did you mean ':bool'?"),
    **dict.fromkeys(("null", "none", "void", "unit"), "did you mean ':nil'?"),
    **dict.fromkeys(("list", "vector", "array", "seq", "coll"), "write [:vector :any]"),
    **dict.fromkeys(
        ("map", "dict", "object", "hash-map", "record"), "write [:map-of :any :any] or [:map [:key T] ...]"
    ),
    **dict.fromkeys(("set",), "write [:set :any]"),
    **dict.fromkeys(("fn", "function"), "write [:fn [:any] :any]"),
}


def check_type_names(program: ir.Program, facts: Facts) -> list[Diagnostic]:  # noqa: ARG001 - the shape of a check
    """Return a warning for every unknown name in an annotation, once for each form."""
    found: list[Diagnostic] = []
    for node in facts.nodes:
        told: set[str] = set()
        for declared, span in _annotations(node):
            for name in _names(declared):
                if (
                    name not in told
                    and resolve(name, facts.types.get) is None
                    and name.removesuffix("?") not in facts.types
                ):
                    told.add(name)
                    found.append(_unknown(name, span, facts))
    return found


def _annotations(node: ir.Node) -> Iterator[tuple[Type, Span]]:
    match node:
        case ir.Fn(returns=returns):
            for param in (*node.params, *([node.rest] if node.rest else [])):
                if param.type is not None:
                    yield param.type, node.span
            if returns is not None:
                yield returns, node.span
        case ir.Bind(type=declared, span=span) if declared is not None:
            yield declared, span
        case ir.Check(type=declared, span=span):
            yield declared, span
        case _:
            return


def _names(declared: object) -> Iterator[str]:
    """Yield the names in a type, however deep."""
    todo: list[object] = [declared]
    while todo:
        part = todo.pop()
        if isinstance(part, NamedType):
            yield part.name
        elif isinstance(part, tuple):
            todo.extend(part)
        elif attrs.has(type(part)):
            todo.extend(getattr(part, field.name) for field in attrs.fields(type(part)))  # type: ignore[arg-type]


def _unknown(name: str, span: Span, facts: Facts) -> Diagnostic:
    known = {**dict.fromkeys(PRIMITIVES), **dict.fromkeys(facts.types)}
    base = name.removesuffix("?").lower()
    way_out = _ELSEWHERE.get(base) or did_you_mean(name, known) or "define it with (deftype Name T) or defstruct"
    message = f"no type is called '{name}': nothing fits it"
    return facts.finding(span, CODE, message, way_out, kind="TypeValidationError", severity="warning")
