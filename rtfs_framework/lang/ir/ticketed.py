"""Tickets in the IR: `(ticket (f x))` is a call of `%ticket` with f and x.

The function is handed over as a value, so no pass can put its body there: it may be answered elsewhere, and later.
"""

from __future__ import annotations

from rtfs_framework.lang.ir import nodes as ir

TICKET = "%ticket"
AWAIT = "await"


def ticketed(call: ir.Call) -> ir.Call:
    """Return the ticket of a call; it stands where the call itself does."""
    return ir.Call(ir.Builtin(TICKET, call.span), (call.function, *call.args), call.span)


def is_ticket(node: ir.Node) -> bool:
    """Tell whether a node makes a ticket."""
    return isinstance(node, ir.Call) and isinstance(node.function, ir.Builtin) and node.function.name == TICKET


def promised(node: ir.Call) -> ir.Call:
    """Return the call that a ticket is for."""
    function, *args = node.args
    return ir.Call(function, tuple(args), node.span)
