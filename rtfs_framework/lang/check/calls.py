"""Calls as the type checks see them: what the library, the program's functions and its structs take and give."""

from __future__ import annotations

from rtfs_framework.lang.annotations import TYPE_CHECKING, Sequence
from rtfs_framework.lang.check.bodies import result_of
from rtfs_framework.lang.check.contracts import contract_of, of_contract
from rtfs_framework.lang.check.kinds import ANY, CALLABLE, ERROR, MAP, NEVER, NIL, NUMBER, STRING, Kinds, words
from rtfs_framework.lang.check.signatures import Way, result, ways
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.ir.declassified import call_of
from rtfs_framework.lang.ir.ticketed import is_ticket, promised
from rtfs_framework.lang.types.show import show_type
from rtfs_framework.lang.values import Keyword

if TYPE_CHECKING:
    from rtfs_framework.lang.check.inference import Inference

_LOOKED_UP = MAP | NIL | ERROR


def of_call(state: Inference, node: ir.Call) -> Kinds:
    """Return what a call may give; note what is wrong with it."""
    if is_ticket(node):
        of_call(state, promised(node))
        return ANY
    node = call_of(node)
    target = node.function
    of_target = state.kinds(target)
    of_args = [state.kinds(arg) for arg in node.args]
    if not of_target or NEVER in of_args:
        return NEVER
    promised_by = contract_of(state.facts, node)
    if promised_by is not None:
        return of_contract(state, node, *promised_by)
    match target:
        case ir.Const(value=Keyword() as key):
            _keyword(state, key, node, of_args)
            return ANY
        case ir.Builtin(name=name):
            return _library(state, name, node, of_args)
        case ir.Global(name=name) if name in state.facts.structs:
            return _struct(state, name, node)
        case _:
            return _function(state, node, of_target)


def _keyword(state: Inference, key: Keyword, node: ir.Call, of_args: Sequence[Kinds]) -> None:
    if len(of_args) in (1, 2) and not of_args[0] & _LOOKED_UP:
        message = f":{key.name} is looked up in a map, and this is {words(of_args[0])}"
        way_out = f"as in (:{key.name} {{:{key.name} 1}})"
        state.say(node.args[0], "E0322", message, way_out)


def _library(state: Inference, name: str, node: ir.Call, of_args: Sequence[Kinds]) -> Kinds:
    entry = state.facts.library.get(name)
    made = result(name, entry, of_args)
    if made is None:
        _refuse(state, name, node, ways(name, entry, len(of_args)), of_args)
        return NEVER
    return made


def _refuse(state: Inference, name: str, node: ir.Call, possible: Sequence[Way], of_args: Sequence[Kinds]) -> None:
    """Point at the argument that is wrong in every way; of a mixture, at the first that is wrong in one."""
    wrong = [i for way in possible if (i := way.misfit(of_args)) is not None]
    place = max(wrong)
    takes = NEVER
    for way in possible:
        takes |= way.takes(place)
    form = {"%for": "for", "%dotimes": "dotimes"}.get(name, name)
    if takes & of_args[place]:
        takes = possible[wrong.index(place)].takes(place)
    message = f"{form} needs {words(takes)} here, and this is {words(of_args[place])}"
    way_out = _FORMS.get(name) or _way_out(name, takes, of_args[place]) or _called_as(state, name)
    state.say(node.args[place], "E0321", message, way_out)


def _called_as(state: Inference, name: str) -> str:
    return f"it is called as ({name} {state.facts.library[name].signature})"


def _struct(state: Inference, name: str, node: ir.Call) -> Kinds:
    if len(node.args) == 1:
        declared = state.facts.structs[name]
        reason = state.misfits.why(node.args[0], declared)
        if reason is not None:
            fields = " ".join(f":{e.key.name} {show_type(e.type)}" for e in declared.entries)
            state.say(node.args[0], "E0320", f"{name}: {reason}", f"its fields: {fields}")
    return MAP


def _function(state: Inference, node: ir.Call, of_target: Kinds) -> Kinds:
    if not of_target & CALLABLE:
        message = f"Type error in call: expected a function, got {words(of_target)}"
        way_out = "only functions, keywords, maps, vectors and sets can be called"
        state.say(node.function, "E0205", message, way_out)
        return NEVER
    fn = state.facts.called(node)
    if fn is None or fn.linked:
        return ANY
    for param, arg in zip(fn.params, node.args, strict=False):
        _argument(state, fn, param, arg)
    if fn.rest is not None:
        for arg in node.args[len(fn.params) :]:
            _argument(state, fn, fn.rest, arg)
    return result_of(state, node.function, fn)


def _argument(state: Inference, fn: ir.Fn, param: ir.Param, arg: ir.Node) -> None:
    reason = None if param.type is None else state.misfits.why(arg, param.type)
    if reason is None:
        return
    shown = fn.name if fn.name != "fn" else "this function"
    name = param.pattern.var.name if isinstance(param.pattern, ir.PVar) else "a parameter"
    way_out = f"{shown} is defined at {state.facts.place(fn.span)}"
    state.say(arg, "E0320", f"{name} of {shown}: {reason}", way_out)


def _way_out(name: str, takes: Kinds, got: Kinds) -> str | None:
    """Return what one mostly means to write instead."""
    if name == "+" and got == STRING:
        return "use (str a b) to join strings"
    if got == NIL:
        return "(or value default) puts a default in the place of nil"
    if takes == NUMBER and got == STRING:
        return "(parse-int text) and (parse-float text) read a number from a string"
    return "(str value) makes a string of anything" if takes == STRING else None


_FORMS = {"%for": "as in (for [x [1 2 3]] x)", "%dotimes": "as in (dotimes [i 3] i)"}
