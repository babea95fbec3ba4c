"""`match`: a decision tree as nested `if`s; a part of the subject is read once on every way down.

A clause at one leaf has its body there. When some clause stands at several, the tree only finds the clause's number,
and the bodies follow it.
"""

from __future__ import annotations

import ast

from rtfs_framework.lang.annotations import TYPE_CHECKING
from rtfs_framework.lang.codegen import checks, decisions
from rtfs_framework.lang.codegen import pyast as py
from rtfs_framework.lang.codegen.emitter import Dest, var_name
from rtfs_framework.lang.ir import nodes as ir

if TYPE_CHECKING:
    from rtfs_framework.lang.codegen.statements import Statements

MOST_DEEP = 120
"""Questions on one way down: Python's compiler has a bound on nesting."""

Known = dict[decisions.Path, str]
"""Names of the parts that were read on the way."""


def run(emitter: Statements, node: ir.Match, dest: Dest, subject: str) -> bool:
    """Emit a `match` over a named subject; False when its tree would be too large, and nothing was emitted."""
    rows = [decisions.row(number, clause) for number, clause in enumerate(node.clauses)]
    try:
        tree = decisions.tree(rows, 3 * sum(len(row.questions) + 1 for row in rows) + 20)
    except OverflowError:
        return False
    if decisions.depth(tree) > MOST_DEEP:
        return False
    found = decisions.leaves(tree)
    _Matching(emitter, node, dest, shared=len(found) != len(set(found))).emit(tree, subject)
    return True


class _Matching:
    def __init__(self, emitter: Statements, node: ir.Match, dest: Dest, *, shared: bool) -> None:
        self.emitter = emitter
        self.node = node
        self.dest = dest
        self.line = emitter.line(node.span)
        self.chosen = emitter.unit.temp("c") if shared else ""

    def emit(self, tree: decisions.Tree, subject: str) -> None:
        """Emit the tree, then the bodies if they do not stand in it."""
        self.tree(tree, {(): subject}, subject)
        if self.chosen:
            self.bodies(sorted(set(decisions.leaves(tree))))

    def bodies(self, numbers: list[int]) -> None:
        chain: list[ast.stmt] = []
        for number in reversed(numbers):
            body = self.emitter.inside(self.node.clauses[number].body, self.dest) or [ast.Pass()]
            test = py.compare(py.load(self.chosen), ast.Eq(), py.const(number))
            chain = [ast.If(test, body, chain)] if chain else body
        for statement in chain:
            self.emitter.emit(statement, self.line)

    def tree(self, tree: decisions.Tree, known: Known, subject: str) -> None:
        emitter = self.emitter
        if tree is None:
            emitter.emit(ast.Expr(py.call(emitter.unit.helper("rt_no_match"), py.load(subject))), self.line)
        elif isinstance(tree, decisions.Leaf):
            self.leaf(tree, known, subject)
        else:
            test = self.test(tree, known)
            yes = self.block(tree.yes, dict(known), subject)
            emitter.emit(ast.If(test, yes, self.block(tree.no, dict(known), subject)), self.line)

    def block(self, tree: decisions.Tree, known: Known, subject: str) -> list[ast.stmt]:
        outer = self.emitter.block()
        self.tree(tree, known, subject)
        return self.emitter.take(outer) or [ast.Pass()]

    def leaf(self, leaf: decisions.Leaf, known: Known, subject: str) -> None:
        emitter, clause = self.emitter, self.node.clauses[leaf.row.number]
        for var, path in leaf.row.binds:
            name = var_name(var)
            if path in known:
                emitter.emit(py.assign(name, py.load(known[path])), self.line)
            else:
                self.part(path, known, name)
        if clause.guard is None:
            self.choose(leaf.row.number)
            return
        test = emitter.test(clause.guard)
        outer = emitter.block()
        self.choose(leaf.row.number)
        then = emitter.take(outer) or [ast.Pass()]
        emitter.emit(ast.If(test, then, self.block(leaf.otherwise, known, subject)), self.line)

    def choose(self, number: int) -> None:
        """Emit what happens when a clause fits."""
        if self.chosen:
            self.emitter.emit(py.assign(self.chosen, py.const(number)), self.line)
        else:
            self.emitter.out += self.emitter.inside(self.node.clauses[number].body, self.dest)

    def part(self, path: decisions.Path, known: Known, name: str | None = None) -> str:
        """Return the name of a part, read now if it was not before."""
        if path in known:
            return known[path]
        emitter = self.emitter
        whole = self.part(path[:-1], known)
        kind, what = path[-1]
        if kind == "item":
            value: ast.expr = py.index(py.load(whole), what)
        elif kind == "tail":
            value = py.tail_from(whole, what, emitter.unit.helper("rt_tail"))
        elif kind == "key":
            value = py.call(ast.Attribute(py.load(whole), "get", py.LOAD), emitter.constant(what.value))
        else:
            keys = py.tuple_of([emitter.constant(key.value) for key in what])
            value = py.call(emitter.unit.helper("rt_map_rest"), py.load(whole), keys)
        made = known[path] = name or emitter.unit.temp("p")
        emitter.emit(py.assign(made, value), self.line)
        return made

    def test(self, tree: decisions.Ask, known: Known) -> ast.expr:
        """Return a question as a Python test."""
        emitter, question, value = self.emitter, tree.question, tree.question.value
        name = self.part(question.path, known)
        match question.kind:
            case "vector":
                return emitter.is_row(name)
            case "map":
                return py.is_class(py.load(name), emitter.unit.helper("rt_map"))
            case "length" | "least":
                operator: ast.cmpop = ast.Eq() if question.kind == "length" else ast.GtE()
                return py.compare(self.length(tree, name, known), operator, py.const(value))
            case "has":
                return py.compare(emitter.constant(value.value), ast.In(), py.load(name))
            case "type":
                return checks.fits(emitter, value.type, name)
            case _:
                return emitter.literal(value.value, name)

    def length(self, tree: decisions.Ask, name: str, known: Known) -> ast.expr:
        """Return the length of a part; it gets a name where it is asked for again."""
        path = (*tree.question.path, ("length", None))
        if path in known:
            return py.load(known[path])
        length: ast.expr = py.call("len", py.load(name))
        if isinstance(tree.no, decisions.Ask) and tree.no.question.path == tree.question.path:
            known[path] = self.emitter.unit.temp("n")
            length = py.walrus(known[path], length)
        return length
