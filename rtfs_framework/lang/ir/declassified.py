"""`declassify` in the IR: `(declassify [:m] "why" (f x))` is a call of `%declassify` with marks, reason, f and x.

The function is handed over as a value, so no pass can put its body there, and none can lose or widen what is freed.
"""

from __future__ import annotations

from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.ir.ticketed import is_ticket, promised

DECLASSIFY = "%declassify"
_BEFORE = 2
"""Arguments before the function: marks and reason."""


def declassified(call: ir.Call, marks: ir.Const, reason: ir.Const) -> ir.Call:
    """Return a call that is freed of marks; it stands where the call itself does."""
    return ir.Call(ir.Builtin(DECLASSIFY, call.span), (marks, reason, call.function, *call.args), call.span)


def is_declassified(node: ir.Node) -> bool:
    """Tell whether a node is a call that is freed."""
    return isinstance(node, ir.Call) and isinstance(node.function, ir.Builtin) and node.function.name == DECLASSIFY


def call_of(node: ir.Call) -> ir.Call:
    """Return the call that a node makes: itself, or the one that is freed or answers later."""
    if is_ticket(node):
        return call_of(promised(node))
    if not is_declassified(node):
        return node
    function, *args = node.args[_BEFORE:]
    return ir.Call(function, tuple(args), node.span)
