"""Numbers: which nodes surely give an integer, a float or a boolean, so that codegen can leave the class test out.

In: functions of a program, and the assumption that some parameters are integers. Out: the kind of every variable that
has one. Every fact holds on every path: a variable is bound once, and a loop's variables keep a kind only if the first
value and every `recur` have it (a greatest fixpoint, reached by giving up what is refuted).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum

import attrs

from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.ir.walk import everything, parts
from rtfs_framework.lang.types.model import Primitive


class Kind(Enum):
    """What a node surely gives. NEVER: it gives nothing, because it jumps or fails."""

    INT = "int"
    FLOAT = "float"
    BOOL = "bool"
    NEVER = "never"


_ARITHMETIC = frozenset({"+", "-", "*"})
_INTEGER_ONLY = frozenset({"mod", "quot", "rem", "max", "min"})
_ORDER = frozenset({"<", ">", "<=", ">="})
_TRUTH = frozenset({"=", "!=", "not=", "not", *_ORDER})
_COUNTS = frozenset({"count", "length", "string-length"})
_STEPS = frozenset({"inc", "dec"})
_PYTHON = {bool: Kind.BOOL, int: Kind.INT, float: Kind.FLOAT}


@attrs.define(slots=True, eq=False)
class Special:
    """A function compiled a second time for integer arguments at some places."""

    fn: ir.Fn
    places: tuple[int, ...]
    returns: Kind | None
    vars: dict[ir.Var, Kind]
    name: str = ""
    """Its Python name, once it is emitted."""


class Numbers:
    """Kinds of variables and, for functions with a special version, of their results."""

    def __init__(self, known: Mapping[ir.Var, Kind] | None = None) -> None:
        self.vars: dict[ir.Var, Kind] = dict(known or {})
        self._by_name: dict[str, Special] = {}
        self._by_var: dict[ir.Var, Special] = {}

    # -- facts ---------------------------------------------------------------------------------------------------

    def enter(self, key: str | ir.Var, special: Special) -> None:
        """Let calls of a function go to its special version from now on."""
        (self._by_name if isinstance(key, str) else self._by_var)[key] = special  # type: ignore[index]

    def within(self, special: Special) -> Numbers:
        """Return what is known inside a special version."""
        inner = Numbers(special.vars)
        inner._by_name, inner._by_var = dict(self._by_name), dict(self._by_var)
        return inner

    def special(self, node: ir.Call) -> Special | None:
        """Return the special version that a call may go to: its arguments are integers where they must be."""
        target = node.function
        found = None
        if isinstance(target, ir.Global):
            found = self._by_name.get(target.name)
        elif isinstance(target, ir.Local):
            found = self._by_var.get(target.var)
        if found is None or len(node.args) != len(found.fn.params):
            return None
        return found if all(self.kind(node.args[place]) is Kind.INT for place in found.places) else None

    def kind(self, node: ir.Node) -> Kind | None:  # noqa: C901 - one case per kind of node
        """Return what a node surely gives, or None."""
        match node:
            case ir.Const(value=value):
                return _PYTHON.get(value.__class__)
            case ir.Local(var=var):
                return self.vars.get(var)
            case ir.Call():
                return self._call(node)
            case ir.If():
                return self._join((node.then, node.otherwise))
            case ir.Do(items=items):
                return self.kind(items[-1]) if items else None
            case ir.And(items=items) | ir.Or(items=items):
                return Kind.BOOL if all(self.kind(item) is Kind.BOOL for item in items) else None
            case ir.Loop():
                return self.kind(node.body)
            case ir.Match():
                return self._join(clause.body for clause in node.clauses)
            case ir.Try():
                return self._join((node.body, *(catch.body for catch in node.catches)))
            case ir.Bind():
                return Kind.INT if node.type is Primitive.INT else self.kind(node.value)
            case ir.Check(type=declared):
                return Kind.INT if declared is Primitive.INT else None
            case ir.Recur() | ir.Fail():
                return Kind.NEVER
            case _:
                return None

    def _join(self, nodes: Iterable[ir.Node]) -> Kind | None:
        kinds = {self.kind(node) for node in nodes} - {Kind.NEVER}
        return kinds.pop() if len(kinds) == 1 else None if kinds else Kind.NEVER

    def _call(self, node: ir.Call) -> Kind | None:
        if not isinstance(node.function, ir.Builtin):
            found = self.special(node)
            return None if found is None else found.returns
        name, kinds = node.function.name, [self.kind(arg) for arg in node.args]
        if name in _TRUTH or name.endswith("?"):
            return Kind.BOOL
        if name in _COUNTS:
            return Kind.INT
        if not kinds or not set(kinds) <= {Kind.INT, Kind.FLOAT}:
            return None
        if Kind.FLOAT not in kinds:
            integer = name in _ARITHMETIC or name in _STEPS or (name in _INTEGER_ONLY and len(kinds) > 1)
            return Kind.INT if integer else None
        return Kind.FLOAT if (name in _ARITHMETIC or name in _STEPS or name == "/") else None

    # -- learning ------------------------------------------------------------------------------------------------

    def learn(self, node: ir.Node) -> None:
        """Note the kinds of all variables bound in a node."""
        if isinstance(node, ir.Loop):
            self._learn_loop(node)
            return
        for part in parts(node):
            self.learn(part)
        if isinstance(node, ir.Bind) and isinstance(node.pattern, ir.PVar):
            self._note(node.pattern.var, self.kind(node))
        elif isinstance(node, ir.Fn):
            for param in node.params:
                if isinstance(param.pattern, ir.PVar) and param.type is Primitive.INT:
                    self._note(param.pattern.var, Kind.INT)

    def _note(self, var: ir.Var, kind: Kind | None) -> None:
        if kind is None or kind is Kind.NEVER:
            self.vars.pop(var, None)
        else:
            self.vars[var] = kind

    def _learn_loop(self, node: ir.Loop) -> None:
        for init in node.inits:
            self.learn(init)
        kinds = [self.kind(init) for init in node.inits]
        while True:
            for var, kind in zip(node.vars, kinds, strict=True):
                self._note(var, kind)
            self.learn(node.body)
            refuted = self._refuted(node.body, kinds, None)
            if not refuted:
                return
            kinds = [None if i in refuted else kind for i, kind in enumerate(kinds)]

    def _refuted(self, body: ir.Node, kinds: list[Kind | None], frame: ir.FunctionFrame | None) -> set[int]:
        """Return the places where some `recur` of this loop passes another kind."""
        return {
            i
            for jump in _jumps(body, frame)
            for i, (kind, arg) in enumerate(zip(kinds, jump.args, strict=False))
            if kind is not None and self.kind(arg) is not kind
        }


def _jumps(body: ir.Node, frame: ir.FunctionFrame | None) -> Iterable[ir.Recur]:
    """Yield the jumps of a loop (`frame` None) or of a function, inner loops and functions left out."""
    todo = [body]
    while todo:
        node = todo.pop()
        if isinstance(node, ir.Recur) and node.frame is frame:
            yield node
        if isinstance(node, ir.Fn) or (frame is None and isinstance(node, ir.Loop)):
            continue
        todo.extend(parts(node))


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
        numbers = Numbers({**base.vars, **{variables[i]: Kind.INT for i in trial.places}})
        numbers._by_name, numbers._by_var = dict(base._by_name), dict(base._by_var)
        numbers.enter(key, trial)
        numbers.learn(fn.body)
        kinds: list[Kind | None] = [Kind.INT if i in trial.places else None for i in range(len(variables))]
        refuted = numbers._refuted(fn.body, kinds, fn.frame)
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
    names = _ARITHMETIC | _ORDER | _STEPS | _INTEGER_ONLY
    return {
        arg.var
        for node in nodes
        if isinstance(node, ir.Call) and isinstance(node.function, ir.Builtin) and node.function.name in names
        for arg in node.args
        if isinstance(arg, ir.Local)
    }
