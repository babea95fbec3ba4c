"""Definitions that may not happen: in a branch, after `and`, in a `try`. In: such parts; out: what names mean after.

`if`, `do`, `and`, `or` and `try` open no scope, so a local `def` in one of their parts outlives it, if it was reached.
Every such variable has a flag beside it that says so: reading the name asks the flag, and falls back on what the name
meant before. A name that every branch defines needs no flag to be read.
"""

from __future__ import annotations

from rtfs_framework.lang.analyzer.base import AnalyzerBase
from rtfs_framework.lang.analyzer.scope import Branch, Doubt, Made, Scope
from rtfs_framework.lang.forms import Form
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.source import Span

MOST_DOUBTS = 50
"""Definitions of one name in a row that may all not have happened: a read asks every flag."""


class Branches:
    """The parts of one form of which not all run, in one scope."""

    __slots__ = ("_analyzer", "_done", "_outer", "_scope")

    def __init__(self, analyzer: AnalyzerBase, scope: Scope) -> None:
        self._analyzer = analyzer
        self._scope = scope
        self._outer = scope.branch
        self._done: list[Branch] = []

    def start(self) -> None:
        """A part begins."""
        self._scope.branch = Branch()

    def end(self) -> None:
        """The part ends: its names mean again what they meant before."""
        branch, names = self._scope.branch, self._scope.names
        self._scope.branch = self._outer
        if branch is not None and branch.made:
            self._done.append(branch)
            for name, before in branch.hidden.items():
                if before is None:
                    del names[name]
                else:
                    names[name] = before

    def settle(self, form: Form, *, of: int = 0) -> tuple[ir.Node, ...]:
        """Make the parts' names visible; returns what must run before the form. One of `of` parts surely runs.

        Raises:
            LanguageError: E0107, too many definitions of one name that may not happen.
        """
        done, inits = self._done, list[ir.Node]()
        certain = done[0].certain if done and of == len(done) else {}
        for branch in done:
            for made in branch.made:
                sure = certain.get(made.name) is made.var and all(made.name in other.certain for other in done)
                self._doubt(made, form, sure=sure)
                inits += _unset(made, form.span)
        self._done = []
        return tuple(inits)

    def _doubt(self, made: Made, form: Form, *, sure: bool) -> None:
        doubts, scope = self._analyzer.doubts, self._scope
        before = scope.find(made.name)
        own = scope.names.get(made.name)
        doubts.pop(made.var, None)
        if not sure:
            depth = 1 + (doubts[before].depth if before in doubts else 0)
            if depth > MOST_DOUBTS:
                message = f"more than {MOST_DOUBTS} definitions of '{made.name}' that may not happen, in one scope"
                raise self._analyzer.refuse(form, "E0107", message, "bind it once, to the value that the branches give")
            doubts[made.var] = Doubt(made.flag, before, depth)
        if self._outer is not None:
            self._outer.note(made, own, certain=sure)
        scope.names[made.name] = made.var


def before_it(node: ir.If | ir.And | ir.Or | ir.Match | ir.Try, inits: tuple[ir.Node, ...]) -> ir.Node:
    """Return a form's node with what must run before it."""
    return ir.Do((*inits, node), node.span) if inits else node


def part(analyzer: AnalyzerBase, form: Form, scope: Scope) -> tuple[ir.Node, tuple[ir.Node, ...]]:
    """Analyze a part that surely runs, but may be compiled to a function; returns too what must run before its form."""
    branches = Branches(analyzer, scope)
    branches.start()
    node = analyzer.analyze(form, scope)
    branches.end()
    return node, branches.settle(form, of=1)


def new_definition(analyzer: AnalyzerBase, name: str, scope: Scope, span: Span | None) -> tuple[ir.Var, ir.Var | None]:
    """Bind a name to a new variable, as `def` does; in a part that may not run, the variable has a flag."""
    before = scope.names.get(name)
    var = analyzer.new_var(name, scope, span)
    if scope.branch is None:
        return var, None
    var.leaves_part = True
    flag = analyzer.hidden_var(name, scope)
    flag.leaves_part = True
    scope.branch.note(Made(name, var, flag), before, certain=True)
    return var, flag


def happened(flag: ir.Var | None, span: Span) -> tuple[ir.Node, ...]:
    """Return what says that a definition was reached."""
    return () if flag is None else (ir.Bind(ir.PVar(flag), ir.Const(value=True, span=span), None, span),)


def _unset(made: Made, span: Span) -> tuple[ir.Node, ...]:
    """The variable has a value from the start, so that a closure can capture it."""
    no, nothing = ir.Const(value=False, span=span), ir.Const(None, span)
    return ir.Bind(ir.PVar(made.flag), no, None, span), ir.Bind(ir.PVar(made.var), nothing, None, span)
