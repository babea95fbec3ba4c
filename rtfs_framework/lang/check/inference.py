"""A small abstract interpreter: what kinds of value each node may give, over all paths at once.

Variables have the kinds of their annotation or of the value they are bound to. A branch is taken to be possible, so
that what is proved holds on every path; and within a branch nothing is known of the variables that its test asks
about, for the test may have been about their very kind. Functions are `bodies`' affair, calls are `calls`'.
"""

from __future__ import annotations

from rtfs_framework.lang.check.bodies import look_into
from rtfs_framework.lang.check.calls import of_call
from rtfs_framework.lang.check.facts import Facts
from rtfs_framework.lang.check.kinds import (
    ANY,
    BOOL,
    ERROR,
    FUNCTION,
    MAP,
    NEVER,
    NIL,
    SET,
    VECTOR,
    Kinds,
    of_type,
    of_value,
)
from rtfs_framework.lang.check.misfits import Misfits
from rtfs_framework.lang.diagnostics import Diagnostic
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.ir.walk import defaults, everything
from rtfs_framework.lang.never import forgotten
from rtfs_framework.lang.printer import write
from rtfs_framework.lang.types.check import violation
from rtfs_framework.lang.types.model import Type
from rtfs_framework.lang.types.show import show_type

Name = ir.Var | str


def check_contradictions(facts: Facts) -> list[Diagnostic]:
    """Return a finding for every contradiction of types: a value that surely is not what its place needs."""
    inference = Inference(facts)
    try:
        for node in facts.program.body:
            inference.kinds(node)
    except RecursionError:  # very deep: what was found until here is true all the same
        pass
    return inference.found


class Inference:
    """The state of one run over a program; `found` are the contradictions."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.found: list[Diagnostic] = []
        kinds: dict[ir.Node, Kinds] = {}
        self._kinds = kinds
        self.misfits = Misfits(facts.types.get, lambda node: kinds.get(node, ANY))
        self.results: dict[ir.Fn, Kinds] = {}
        """What calls of the functions that were looked into may give."""
        self.depth = 0
        """How many functions are looked into ahead of their place, one inside the other."""
        self.vars: dict[ir.Var, Kinds] = {}
        self._declared: dict[ir.Var, Type] = {}
        self._globals: dict[str, Kinds] = {}
        self.doubted: set[Name] = set()
        self.muted = 0

    def say(self, node: ir.Node, code: str, message: str, way_out: str | None, severity: str | None = None) -> None:
        """Note a contradiction at a node."""
        if not self.muted:
            self.found.append(self.facts.finding(node.span, code, message, way_out, severity))

    def known(self, node: ir.Node) -> Kinds:
        """Return what a node may give that was looked at."""
        return self._kinds.get(node, ANY)

    def kinds(self, node: ir.Node) -> Kinds:
        """Return what a node may give."""
        made = self._kinds[node] = self._of(node)
        return made

    def _of(self, node: ir.Node) -> Kinds:  # noqa: C901, PLR0912 - one case per kind of node
        match node:
            case ir.Const() | ir.Local() | ir.Global() | ir.Builtin() | ir.HostName() | ir.Fail():
                return self._leaf(node)
            case ir.SetGlobal():
                return self._set_global(node)
            case ir.If():
                return self._if(node)
            case ir.Do():
                return self._in_order(node.items)
            case ir.Bind():
                return self._bind(node)
            case ir.Letrec():
                self.vars.update((var, FUNCTION) for var, _ in node.bindings)
                return self._built(tuple(fn for _, fn in node.bindings), FUNCTION)
            case ir.And() | ir.Or():
                return self._junction(node)
            case ir.Fn():
                return look_into(self, node)
            case ir.Arities(functions=functions):
                return self._built(functions, FUNCTION)
            case ir.Call():
                return of_call(self, node)
            case ir.Loop():
                return NEVER if NEVER in [self.kinds(n) for n in node.inits] else self.kinds(node.body)
            case ir.Recur(args=args):
                return self._built(args, NEVER)
            case ir.Match():
                return self._match(node)
            case ir.Try():
                return self._try(node)
            case ir.VectorNode(items=items) | ir.SetNode(items=items):
                return self._built(items, VECTOR if isinstance(node, ir.VectorNode) else SET)
            case ir.MapNode(pairs=pairs):
                return self._built(tuple(value for _, value in pairs), MAP)
            case ir.Hinted():
                return self._in_order((*(value for _, value in node.hints), node.body))
            case ir.Check():
                return self._fitted(node.value, node.type)
            case ir.Inlined() | ir.Each() | ir.Push() | ir.Stop() | ir.Fresh() | ir.Grow() | ir.Look() | ir.Freeze():
                raise AssertionError(node)  # passes make them, after all checks
            case _ as never:
                raise forgotten(never)

    def _leaf(self, node: ir.Const | ir.Local | ir.Global | ir.Builtin | ir.HostName | ir.Fail) -> Kinds:
        match node:
            case ir.Const(value=value):
                return of_value(value)
            case ir.Local(var=var):
                return ANY if var in self.doubted else self.vars.get(var, ANY)
            case ir.Global(name=name) if name in self.facts.functions or name in self.facts.structs:
                return FUNCTION
            case ir.Global(name=name):
                return ANY if name in self.doubted else self._globals.get(name, ANY)
            case ir.Builtin():
                return FUNCTION
            case ir.HostName():
                return ANY
            case ir.Fail():
                return NEVER
            case _ as never:
                raise forgotten(never)

    # -- names ---------------------------------------------------------------------------------------------------

    def _set_global(self, node: ir.SetGlobal) -> Kinds:
        made = self.kinds(node.value)
        if node.name in self.facts.constants and made:
            self._globals[node.name] = made
        return made

    def _bind(self, node: ir.Bind) -> Kinds:
        made = self.kinds(node.value) if node.type is None else self._fitted(node.value, node.type)
        self.pattern(node.pattern, made, node.type)
        return made

    def _fitted(self, value: ir.Node, declared: Type) -> Kinds:
        made = self.kinds(value)
        reason = self.misfits.why(value, declared)
        if reason is not None:
            message = f"this does not fit its declared type: {reason}"
            self.say(value, "E0320", message, f"it is declared {show_type(declared)}")
            return NEVER
        return made & of_type(declared, self.facts.types.get)

    def pattern(self, pattern: ir.Pattern, kinds: Kinds, declared: Type | None = None) -> None:
        """Note what a pattern's variable may hold."""
        if isinstance(pattern, ir.PVar):
            self.vars[pattern.var] = kinds or ANY
            if declared is not None:
                self._declared[pattern.var] = declared
        else:
            for node in defaults(pattern):
                self.kinds(node)

    # -- control -------------------------------------------------------------------------------------------------

    def _in_order(self, items: tuple[ir.Node, ...]) -> Kinds:
        """What follows a node that never gives a value is not reached, and nothing is said of it."""
        made, muted = NIL, self.muted
        for item in items:
            made = self.kinds(item)
            if not made:
                self.muted += 1
        gone = self.muted > muted
        self.muted = muted
        return NEVER if gone else made

    def _built(self, items: tuple[ir.Node, ...], kind: Kinds) -> Kinds:
        return NEVER if NEVER in [self.kinds(item) for item in items] else kind

    def _doubt(self, test: ir.Node) -> set[Name]:
        """Forget what is known of the variables that a test mentions; returns those that were not forgotten before."""
        mentioned = {_name(n) for n in everything((test,)) if isinstance(n, ir.Local | ir.Global)} - self.doubted
        self.doubted |= mentioned
        return mentioned

    def _under(self, test: ir.Node, *branches: ir.Node) -> list[Kinds]:
        """Return the kinds of branches in which nothing is known of what their test mentions."""
        mentioned = self._doubt(test)
        made = [self.kinds(branch) for branch in branches]
        self.doubted -= mentioned
        return made

    def _if(self, node: ir.If) -> Kinds:
        test = self.kinds(node.test)
        then, other = self._under(node.test, node.then, node.otherwise)
        return then | other if test else NEVER

    def _junction(self, node: ir.And | ir.Or) -> Kinds:
        leaves = NIL | BOOL if isinstance(node, ir.And) else ANY & ~NIL
        made, mentioned, last = NEVER, set[Name](), len(node.items) - 1
        for i, item in enumerate(node.items):
            given = self.kinds(item)
            made |= given if i == last else given & leaves
            if not given and i == 0:
                break
            mentioned |= self._doubt(item)
        self.doubted -= mentioned
        return made

    def _match(self, node: ir.Match) -> Kinds:
        value = self.kinds(node.value)
        result = NEVER
        for clause in node.clauses:
            self._clause_fits(node.value, value, clause)
            self._typed(clause.pattern)
            for default in defaults(clause.pattern):
                self.kinds(default)
            inside = [part for part in (clause.guard, clause.body) if part is not None]
            result |= self._under(node.value, *inside)[-1]
        return result if value else NEVER

    def _typed(self, pattern: ir.Pattern) -> None:
        if isinstance(pattern, ir.PType) and isinstance(pattern.pattern, ir.PVar):
            self.vars[pattern.pattern.var] = of_type(pattern.type, self.facts.types.get) or ANY

    def _clause_fits(self, value: ir.Node, kinds: Kinds, clause: ir.Clause) -> None:
        """A literal of a kind that the value cannot have, or outside its enumeration, is never chosen."""
        if not isinstance(clause.pattern, ir.PLiteral) or self.muted or not kinds or isinstance(value, ir.Const):
            return
        literal = clause.pattern.value
        declared = self._declared.get(value.var) if isinstance(value, ir.Local) else None
        reason = None if declared is None else violation(declared, literal, self.facts.types.get)
        if reason is None and kinds & of_value(literal):
            return
        message = f"this clause is never chosen: the value cannot be {write(literal)}"
        way_out = "remove the clause" if reason is None else f"the value is declared otherwise: {reason}"
        self.say(clause.body, "E0323", message, way_out)

    def _try(self, node: ir.Try) -> Kinds:
        made = self.kinds(node.body)
        for catch in node.catches:
            self.vars.update((var, ERROR) for var in catch.vars)
            made |= self.kinds(catch.body)
        if node.final is not None and not self.kinds(node.final):
            return NEVER
        return made


def _name(node: ir.Node) -> Name:
    return node.var if isinstance(node, ir.Local) else node.name if isinstance(node, ir.Global) else ""
