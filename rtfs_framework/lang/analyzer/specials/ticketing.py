"""`ticket`: a call that answers later. In: the form. Out: the IR of `ir/ticketed.py`."""

from __future__ import annotations

from rtfs_framework.lang.analyzer.base import AnalyzerBase
from rtfs_framework.lang.analyzer.scope import Scope, Tail
from rtfs_framework.lang.analyzer.specials.record import malformed, special
from rtfs_framework.lang.forms import ListForm
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.ir.declassified import call_of
from rtfs_framework.lang.ir.ticketed import is_ticket, ticketed

_WORD = "ticket"
_ASKING = "capability"
"""The effect of functions of the library that may be answered later."""


@special(
    _WORD,
    grammar="(ticket (f x ...))",
    doc="Start the call (f x ...) and go on; (await ticket) gives its value, or raises its error.",
    reserved=False,
)
def _ticket(analyzer: AnalyzerBase, form: ListForm, scope: Scope, tail: Tail | None) -> ir.Node:  # noqa: ARG001
    if len(form.items) != 2:
        raise malformed(analyzer, form, _WORD, f"ticket takes one call, got {len(form.items) - 1} forms")
    body = form.items[1]
    if not isinstance(body, ListForm) or not body.items:
        raise malformed(analyzer, form, _WORD, "ticket stands around one call", at=body)
    node = analyzer.analyze(body, scope)
    if isinstance(node, ir.Fail) or (isinstance(node, ir.Do) and isinstance(node.items[-1], ir.Fail)):
        return node  # a call that cannot succeed, which has been told
    if not isinstance(node, ir.Call) or is_ticket(node):
        message = "ticket stands around one call, not around other forms"
        way_out = "put them into a function and call it: (defn f [x] ...) (ticket (f x))"
        raise analyzer.refuse(body, "E0248", message, way_out)
    function = call_of(node).function
    if isinstance(function, ir.Const) or (
        isinstance(function, ir.Builtin) and (function.entry is None or function.entry.effect != _ASKING)
    ):
        span = body.items[0].span
        called = analyzer.sources[span.source].text[span.start : span.end]
        message = f"{called} asks nobody that could answer later, so a ticket of it has no use"
        way_out = "put ticket around the call that leaves the program, as in (ticket (call :weather.today city))"
        raise analyzer.refuse(body, "E0248", message, way_out)
    return ticketed(node)
