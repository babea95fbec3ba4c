"""Names in types that name no type: nothing ever fits them.

Said as a warning where the name stands, for whoever gets there fails; a check of the value could only say so for a
value that is known.
"""

from __future__ import annotations

from rtfs_framework.lang.check.facts import Facts
from rtfs_framework.lang.diagnostics import Diagnostic, did_you_mean
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.source import Span
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
    """Return a warning for every unknown name in a type, at the name."""
    return [
        _unknown(name, span, facts)
        for name, span in facts.type_mentions
        if resolve(name, facts.types.get) is None and name.removesuffix("?") not in facts.types
    ]


def _unknown(name: str, span: Span, facts: Facts) -> Diagnostic:
    known = {**dict.fromkeys(PRIMITIVES), **dict.fromkeys(facts.types)}
    base = name.removesuffix("?").lower()
    way_out = _ELSEWHERE.get(base) or did_you_mean(name, known) or "define it with (deftype Name T) or defstruct"
    message = f"no type is called '{name}': nothing fits it"
    return facts.finding(span, CODE, message, way_out, kind="TypeValidationError", severity="warning")
