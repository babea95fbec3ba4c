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


class Bodies:
    """Judges functions for an inference."""

    def __init__(self, inference: Inference) -> None:
        self.inference = inference
        self._known: dict[ir.Fn, Kinds] = {}
        self._depth = 0

    def result_of(self, target: ir.Node, fn: ir.Fn) -> Kinds:
        """Return what a call of one of the program's functions may give."""
        known = self._known.get(fn)
        if known is not None:
            return known
        declared = ANY if fn.returns is None else of_type(fn.returns, self.inference.facts.types.get)
        if not isinstance(target, ir.Global) or self._depth >= _DEEPEST:
            return declared
        state = self.inference
        doubted, muted, state.doubted, state.muted = state.doubted, state.muted, set(), 0
        self._depth += 1
        self.look_into(fn)
        self._depth -= 1
        state.doubted, state.muted = doubted, muted
        return self._known[fn]

    def look_into(self, fn: ir.Fn) -> Kinds:
        """Look into a function, once."""
        if fn in self._known:
            return FUNCTION
        declared = ANY if fn.returns is None else of_type(fn.returns, self.inference.facts.types.get)
        self._known[fn] = declared
        for param in fn.params:
            self.inference.pattern(param.pattern, self._given(param), param.type)
        if fn.rest is not None:
            self.inference.pattern(fn.rest.pattern, VECTOR)
        made = self.inference.kinds(fn.body)
        if fn.returns is not None and not fn.linked:
            self._results_fit(fn, fn.returns)
        self._known[fn] = ANY if fn.linked else made & declared
        return FUNCTION

    def _results_fit(self, fn: ir.Fn, declared: Type) -> None:
        """Judge every value that a body may give. Nil that is only implied may never come: that is a warning."""
        shown = fn.name if fn.name != "fn" else "this function"
        for leaf, implied in _leaves(fn.body):
            reason = self.inference.misfits.why(leaf, declared)
            if reason is not None:
                way_out = (
                    "add an else, or declare the result optional" if implied else f"it declares {show_type(declared)}"
                )
                message = (
                    f"{shown} gives {'nil when no test holds' if implied else 'what it declares not to'}: {reason}"
                )
                severity = "warning" if implied else None
                self.inference.say(leaf, "E0320", message, way_out, severity)

    def _given(self, param: ir.Param) -> Kinds:
        return ANY if param.type is None else of_type(param.type, self.inference.facts.types.get)


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
