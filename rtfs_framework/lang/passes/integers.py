"""Integers: a function whose parameters are operands is compiled a second time for integers, without the class tests.

In: a function and what is known around it (`numbers`). Out: which parameters its special version takes to be integers,
and the kinds that follow. Its entry tests once, its own calls go straight there.
"""

from __future__ import annotations

from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.ir.walk import everything
from rtfs_framework.lang.passes.numbers import ARITHMETIC, CHOICE, DIVISION, ORDER, STEPS, Kind, Numbers, Special

MOST_NODES = 400
"""Functions larger than this are compiled once."""


def specialise(fn: ir.Fn, key: str | ir.Var, base: Numbers) -> Special | None:
    """Return the special version of a function, or None when integers would make no difference."""
    if fn.rest is not None or fn.linked or not all(_is_plain(param) for param in fn.params):
        return None
    nodes = list(everything((fn.body,)))
    if len(nodes) > MOST_NODES:
        return None
    variables = [p.pattern.var for p in fn.params if isinstance(p.pattern, ir.PVar)]
    wanted = _operands(nodes)
    places = tuple(i for i, var in enumerate(variables) if var in wanted and variables.count(var) == 1)
    while places:
        trial = Special(fn, places, Kind.NEVER, {})
        refuted = _try(trial, key, variables, base)
        if not refuted:
            return trial
        places = tuple(place for place in places if place not in refuted)
    return None


def _try(trial: Special, key: str | ir.Var, variables: list[ir.Var], base: Numbers) -> set[int]:
    """Compute the kinds of a special version; return the places whose assumption does not hold round the loop."""
    fn = trial.fn
    while True:
        numbers = base.beside({variables[i]: Kind.INT for i in trial.places})
        numbers.enter(key, trial)
        numbers.learn(fn.body)
        kinds: list[Kind | None] = [Kind.INT if i in trial.places else None for i in range(len(variables))]
        refuted = numbers.refuted(fn.body, kinds, fn.frame)
        if refuted:
            return refuted
        returns = numbers.kind(fn.body) if fn.returns is None else None
        if returns is trial.returns:
            trial.vars = numbers.vars
            return set()
        trial.returns = returns if trial.returns is Kind.NEVER else None


def _is_plain(param: ir.Param) -> bool:
    return isinstance(param.pattern, ir.PVar) and param.type is None


def _operands(nodes: list[ir.Node]) -> set[ir.Var]:
    """Return the variables that are operands of arithmetic or order."""
    names = ARITHMETIC | ORDER | STEPS | DIVISION | CHOICE | {"/", "range", "%range"}
    return {
        arg.var
        for node in nodes
        if isinstance(node, ir.Call) and isinstance(node.function, ir.Builtin) and node.function.name in names
        for arg in node.args
        if isinstance(arg, ir.Local)
    }
