"""Functions as the type checks see them: what their parameters hold, what their calls give, what they declare to give.

A function is looked into once: where it stands, or ahead of that when a call needs its result, at most a few deep.
"""

from __future__ import annotations

from rtfs_framework.lang.annotations import TYPE_CHECKING
from rtfs_framework.lang.check.kinds import ANY, FUNCTION, VECTOR, Kinds, of_type
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.source import Span
from rtfs_framework.lang.types.model import Type
from rtfs_framework.lang.types.show import show_type

if TYPE_CHECKING:
    from rtfs_framework.lang.check.inference import Inference

_DEEPEST = 20
"""Functions looked into ahead of their place, one inside the other."""


def result_of(state: Inference, target: ir.Node, fn: ir.Fn) -> Kinds:
    """Return what a call of one of the program's functions may give."""
    known = state.results.get(fn)
    if known is not None:
        return known
    declared = _declared(state, fn.returns)
    if not isinstance(target, ir.Global) or state.depth >= _DEEPEST:
        return declared
    doubted, muted, state.doubted, state.muted = state.doubted, state.muted, set(), 0
    state.depth += 1
    look_into(state, fn)
    state.depth -= 1
    state.doubted, state.muted = doubted, muted
    return state.results[fn]


def look_into(state: Inference, fn: ir.Fn) -> Kinds:
    """Look into a function, once."""
    if fn in state.results:
        return FUNCTION
    declared = _declared(state, fn.returns)
    state.results[fn] = declared
    for param in fn.params:
        state.pattern(param.pattern, _declared(state, param.type), param.type)
    if fn.rest is not None:
        state.pattern(fn.rest.pattern, VECTOR)
    made = state.kinds(fn.body)
    if fn.returns is not None and not fn.linked:
        _results_fit(state, fn, fn.returns)
    state.results[fn] = ANY if fn.linked else made & declared
    return FUNCTION


def _results_fit(state: Inference, fn: ir.Fn, declared: Type) -> None:
    """Judge every value that a body may give. Nil that is only implied may never come: that is a warning."""
    shown = fn.name if fn.name != "fn" else "this function"
    for leaf, implied in _leaves(fn.body):
        reason = state.misfits.why(leaf, declared)
        if reason is not None:
            what = "nil when no test holds" if implied else "what it declares not to"
            way_out = "add an else, or declare the result optional" if implied else f"it declares {show_type(declared)}"
            severity = "warning" if implied else None
            state.say(leaf, "E0320", f"{shown} gives {what}: {reason}", way_out, severity)


def _declared(state: Inference, declared: Type | None) -> Kinds:
    return ANY if declared is None else of_type(declared, state.facts.types.get)


def _leaves(node: ir.Node, around: Span | None = None) -> list[tuple[ir.Node, bool]]:
    """Return the nodes whose value a body gives, and whether each is only implied by the form around it."""
    match node:
        case ir.Do(items=items) if items:
            return _leaves(items[-1])
        case ir.If(span=span):
            return [*_leaves(node.then, span), *_leaves(node.otherwise, span)]
        case ir.Match(clauses=clauses):
            return [leaf for clause in clauses for leaf in _leaves(clause.body)]
        case _:
            return [(node, isinstance(node, ir.Const) and node.value is None and node.span == around)]
