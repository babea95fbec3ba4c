"""Calls of the program's own functions with a number of arguments that they do not take.

Only functions that a name surely means are looked at: top-level names that are defined once, local functions, function
literals called on the spot. (Calls of the library's functions are checked when they are analyzed.)
"""

from __future__ import annotations

from rtfs_framework.lang.arity import arity_text, fits
from rtfs_framework.lang.check.facts import Facts
from rtfs_framework.lang.diagnostics import Diagnostic
from rtfs_framework.lang.ir import nodes as ir


def check_arity(facts: Facts) -> list[Diagnostic]:
    """Return a finding for every call that cannot succeed for its number of arguments."""
    return [found for node in facts.of(ir.Call) if (found := _wrong(node, facts)) is not None]


def _wrong(node: ir.Call, facts: Facts) -> Diagnostic | None:
    name = node.function.name if isinstance(node.function, ir.Global) else ""
    if name in facts.structs:
        return None if len(node.args) == 1 else _constructor(node, name, facts)
    arities = facts.function_of(node.function)
    count = len(node.args)
    if not arities or any(fits(fn.shape, count) for fn in arities):
        return None
    shown = arities[0].name if arities[0].name != "fn" else "this function"
    message = f"Arity mismatch in {shown}: expected {arity_text(*(fn.shape for fn in arities))}, got {count}"
    way_out = f"it takes {' or '.join(map(_parameters, arities))}, defined at {facts.place(arities[0].span)}"
    return facts.finding(node.span, "E0204", message, way_out)


def _constructor(node: ir.Call, name: str, facts: Facts) -> Diagnostic:
    message = f"Arity mismatch in {name}.new: expected 1, got {len(node.args)}"
    fields = " ".join(f":{entry.key.name} ..." for entry in facts.structs[name].entries)
    way_out = f"a struct is made of one map, as in ({name} {{{fields}}})"
    return facts.finding(node.span, "E0204", message, way_out)


def _parameters(fn: ir.Fn) -> str:
    """Return the parameters as the author wrote them: `[a b & rest]`."""
    names = [f"& {p.name}" if p.rest else p.name for p in fn.signature.parameters]
    if not names and (fn.params or fn.rest):
        names = [_shown(param, i) for i, param in enumerate(fn.params)]
        names += [f"& {_shown(fn.rest, 0)}"] if fn.rest is not None else []
    return f"[{' '.join(names)}]"


def _shown(param: ir.Param, i: int) -> str:
    return param.pattern.var.name if isinstance(param.pattern, ir.PVar) else f"arg{i}"
