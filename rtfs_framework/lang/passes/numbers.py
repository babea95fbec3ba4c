"""Numbers: which nodes surely give an integer, a float or a boolean, so that codegen can leave the class test out.

In: functions of a program, and the assumption that some parameters are integers. Out: the kind of every variable that
has one. Every fact holds on every path: a variable is bound once, and a loop's variables keep a kind only if the first
value and every `recur` have it (a greatest fixpoint, reached by giving up what is refuted).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum
from typing import TypeGuard

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


ARITHMETIC = frozenset({"+", "-", "*"})
DIVISION = frozenset({"mod", "quot", "rem"})
CHOICE = frozenset({"max", "min"})
ORDER = frozenset({"<", ">", "<=", ">="})
STEPS = frozenset({"inc", "dec"})
_KEEPING = frozenset({"abs", *ARITHMETIC, *DIVISION, *STEPS})
"""Of integers they give an integer, and a float if there is one among them."""
FLOATS = frozenset({"float", "sqrt", "exp", "sin", "cos", "log"})
ASKS = frozenset({"file-exists?"})
"""Names with a question mark whose answer is the host's: any value."""
TRUTH = frozenset({"=", "!=", "not=", "not", "string-contains", "string-p", *ORDER})
COUNTS = frozenset({"count", "length", "string-length"})
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
        self.widths: dict[ir.Var, int] = {}
        """Most bits of integer variables (`widths`), noted while code is made."""
        self.naturals: set[ir.Var] = set()
        """Integer variables that are never negative, likewise."""
        self._by_name: dict[str, Special] = {}
        self._by_var: dict[ir.Var, Special] = {}

    # -- facts ---------------------------------------------------------------------------------------------------

    def enter(self, key: str | ir.Var, special: Special) -> None:
        """Let calls of a function go to its special version from now on."""
        (self._by_name if isinstance(key, str) else self._by_var)[key] = special  # type: ignore[index]

    def within(self, special: Special) -> Numbers:
        """Return what is known inside a special version."""
        inner = self.beside({})
        inner.vars = special.vars
        return inner

    def beside(self, known: Mapping[ir.Var, Kind]) -> Numbers:
        """Return a copy that knows more."""
        made = Numbers({**self.vars, **known})
        made._by_name, made._by_var = dict(self._by_name), dict(self._by_var)
        return made

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
            case ir.Loop() | ir.Inlined():
                return self.kind(node.body)
            case ir.Look(op=op):
                return Kind.INT if op == "count" else Kind.BOOL if op.endswith("?") else None
            case ir.Each(acc=acc):
                return None if acc is None else self.vars.get(acc)
            case ir.Match():
                return self._join(clause.body for clause in node.clauses)
            case ir.Try():
                return self._join((node.body, *(catch.body for catch in node.catches)))
            case ir.Bind():
                return Kind.INT if node.type is Primitive.INT else self.kind(node.value)
            case ir.Check(type=declared):
                return Kind.INT if declared is Primitive.INT else None
            case ir.Recur() | ir.Fail() | ir.Stop():
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
        name, kinds = node.function.name, {self.kind(arg) for arg in node.args}
        if Kind.NEVER in kinds:
            return Kind.NEVER
        if name in TRUTH or (name.endswith("?") and name not in ASKS):
            return Kind.BOOL
        return Kind.INT if name in COUNTS else _numeric(name, kinds, len(node.args))

    # -- learning ------------------------------------------------------------------------------------------------

    def learn(self, node: ir.Node) -> None:
        """Note the kinds of all variables bound in a node."""
        if isinstance(node, ir.Loop):
            self._learn_loop(node)
            return
        if isinstance(node, ir.Each):
            self._learn_each(node)
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
        if kind is None or kind is Kind.NEVER or var.leaves_part:  # which is bound before its form too
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
            refuted = self.refuted(node.body, kinds, None)
            if not refuted:
                return
            kinds = [None if i in refuted else kind for i, kind in enumerate(kinds)]

    def _learn_each(self, node: ir.Each) -> None:
        for part in (node.init, node.source):
            if part is not None:
                self.learn(part)
        self._note(node.item, self._items(node.source))
        if node.acc is not None:
            self._note(node.acc, self._start(node))
        self.learn(node.body)
        stops = any(isinstance(part, ir.Stop) for part in everything((node.body,)))
        if node.acc in self.vars and (stops or self.kind(node.body) not in (self.vars[node.acc], Kind.NEVER)):
            self._note(node.acc, None)
            self.learn(node.body)
        if node.plain is not None:
            self.learn(node.plain)

    def _start(self, node: ir.Each) -> Kind | None:
        """Return the kind of what an accumulator starts with: without a first value, of the first item."""
        if node.init is not None:
            return self.kind(node.init)
        self.learn(node.body)
        return next((self.kind(part.otherwise) for part in everything((node.body,)) if _begins(part, node.acc)), None)

    def _items(self, source: ir.Node) -> Kind | None:
        """Return the kind of all items of a sequence."""
        match source:
            case ir.Call(function=ir.Builtin(name="range" | "%range")):
                return Kind.INT
            case ir.Const(value=tuple() as items) if items:
                kinds = {_PYTHON.get(item.__class__) for item in items}
                return kinds.pop() if len(kinds) == 1 else None
            case _:
                return None

    def refuted(self, body: ir.Node, kinds: list[Kind | None], frame: ir.FunctionFrame | None) -> set[int]:
        """Return the places where some `recur` of this loop passes another kind."""
        return {
            i
            for jump in jumps(body, frame)
            for i, (kind, arg) in enumerate(zip(kinds, jump.args, strict=False))
            if kind is not None and self.kind(arg) not in (kind, Kind.NEVER)
        }


def _begins(node: ir.Node, acc: ir.Var | None) -> TypeGuard[ir.If]:
    """Tell whether a node asks whether an accumulator has had its first item."""
    return (
        isinstance(node, ir.If) and isinstance(node.test, ir.Look) and node.test.op == "begun?" and node.test.var is acc
    )


def _numeric(name: str, kinds: set[Kind | None], count: int) -> Kind | None:
    """Return what arithmetic gives: a float if any operand is one, for what is no number fails."""
    if name in FLOATS:
        return Kind.FLOAT
    if (
        name in ARITHMETIC
        or name == "abs"
        or name in STEPS
        or name in DIVISION
        or (name == "/" and Kind.FLOAT in kinds)
    ):
        if Kind.FLOAT in kinds:
            return Kind.FLOAT
        return Kind.INT if kinds == {Kind.INT} else None
    return Kind.INT if name in CHOICE and kinds == {Kind.INT} and count > 1 else None


def jumps(body: ir.Node, frame: ir.FunctionFrame | None) -> Iterable[ir.Recur]:
    """Yield the jumps of a loop (`frame` None) or of a function, inner loops and functions left out."""
    todo = [body]
    while todo:
        node = todo.pop()
        if isinstance(node, ir.Recur) and node.frame is frame:
            yield node
        if isinstance(node, ir.Fn) or (frame is None and isinstance(node, ir.Loop)):
            continue
        todo.extend(parts(node))
