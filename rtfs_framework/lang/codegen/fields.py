"""Fields: entries under a constant keyword or string, which maps that stand for records have.

In: `(assoc subject :key value)`. Out: the copy of a small map with another entry, made where it stands; and whether
`(get subject key)` surely finds an entry.
"""

from __future__ import annotations

import ast

from rtfs_framework.lang.annotations import TYPE_CHECKING
from rtfs_framework.lang.codegen import pyast as py
from rtfs_framework.lang.codegen.emitter import steady
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.maps import COPY_BELOW
from rtfs_framework.lang.passes import proofs
from rtfs_framework.lang.passes.kinds import Kind
from rtfs_framework.lang.types.model import OptionalType
from rtfs_framework.lang.values import Keyword

if TYPE_CHECKING:
    from rtfs_framework.lang.codegen.expressions import Expressions
    from rtfs_framework.lang.passes.numbers import Numbers


def is_field(node: ir.Call) -> bool:
    """Tell whether a call is `(assoc subject :key value)`, or the same with a string."""
    match node.args:
        case [subject, ir.Const(value=Keyword() | str()), _]:
            return not isinstance(subject, ir.Const)
        case _:
            return False


def changed(emitter: Expressions, function: ir.Builtin, node: ir.Call) -> ast.expr | None:
    """Emit the change of a small map; anything else goes to the library. A vector is none: None."""
    kind = emitter.numbers.kind(node.args[0])
    if kind not in (None, Kind.MAP):
        return None
    line, copy, made = emitter.line(node.span), emitter.unit.temp("c"), emitter.unit.temp("m")
    subject, key, value = emitter.values(node.args)
    subject = py.load(emitter.name_it(subject, line))
    value = value if steady(value) else py.load(emitter.name_it(value, line))
    few = py.compare(py.call("len", py.walrus(copy, py.attribute(subject, "_items"))), ast.Lt(), py.const(COPY_BELOW))
    test = few if kind else py.both([py.is_class(py.again(subject), emitter.unit.helper("rt_map")), few])
    copied: list[ast.stmt] = [
        py.assign(made, py.call(emitter.unit.helper("rt_map"))),
        ast.Assign(
            [ast.Attribute(py.load(made), "_items", py.STORE), py.store(copy)],
            py.call(py.attribute(py.load(copy), "copy")),
        ),
        ast.Assign([ast.Subscript(py.load(copy), key, py.STORE)], value),
    ]
    slow = py.call(emitter.unit.builtin(function.name), *map(py.again, (subject, key, value)))
    emitter.emit(ast.If(test, copied, [py.assign(made, slow)]), line)
    return py.load(made)


def is_there(node: ir.Call, numbers: Numbers) -> bool:
    """Tell whether a look-up is `(get subject key)` of a map whose declared type says that it has the key."""
    known = proofs.entry_of(node, numbers) if node.function.__class__ is ir.Builtin else None
    return known is not None and not isinstance(known, OptionalType)
