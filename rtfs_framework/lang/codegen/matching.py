"""`match`: a decision tree as nested `if`s; a part of the subject is read once on every way down.

A clause at one leaf has its body there. When some clause stands at several, the tree only finds the clause's number,
and the bodies follow it. Where the tree would be too large, the clauses are tried in turn.
"""

from __future__ import annotations

import ast

from rtfs_framework.lang.annotations import TYPE_CHECKING, Any, Sequence
from rtfs_framework.lang.codegen import checks, decisions, speculation
from rtfs_framework.lang.codegen import pyast as py
from rtfs_framework.lang.codegen.emitter import Dest, var_name
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.values import Keyword

if TYPE_CHECKING:
    from rtfs_framework.lang.codegen.statements import Statements

MOST_DEEP = 120
"""Questions on one way down: Python's compiler has a bound on nesting."""

Known = dict[decisions.Path, str]
"""Names of the parts that were read on the way."""


def run(emitter: Statements, node: ir.Match, dest: Dest) -> None:
    """Emit a `match`."""
    subject = emitter.name_it(emitter.value(node.value), emitter.line(node.span), "m")
    rows = [decisions.row(number, clause) for number, clause in enumerate(node.clauses)]
    tree = _tree(rows) if "match" in emitter.passes else None
    leaves = decisions.leaves(tree)
    matching = _Matching(emitter, node, dest, subject, shared=len(leaves) != len(set(leaves)))
    with speculation.after(emitter, node.value, node):
        if tree is None:
            matching.in_turn(rows)
        else:
            matching.emit(tree)


def _tree(rows: Sequence[decisions.Row]) -> decisions.Tree:
    """Return the decision tree; None if it would be too large."""
    try:
        tree = decisions.tree(rows, 3 * sum(len(row.questions) + 1 for row in rows) + 20)
    except OverflowError:
        return None
    return tree if decisions.depth(tree) <= MOST_DEEP else None


class _Matching:
    def __init__(self, emitter: Statements, node: ir.Match, dest: Dest, subject: str, *, shared: bool) -> None:
        self.emitter = emitter
        self.node = node
        self.dest = dest
        self.subject = subject
        self.line = emitter.line(node.span)
        self.chosen = emitter.unit.temp("c") if shared else ""
        self.tests: list[ast.expr] | None = None
        """Where clauses are tried in turn, what is asked of one: parts get their names there."""

    def in_turn(self, rows: Sequence[decisions.Row]) -> None:
        """Emit one test for each clause, and try one after the other."""
        built: list[tuple[ast.expr, list[ast.stmt]]] = []
        for row in rows:
            clause = self.node.clauses[row.number]
            known: Known = {(): self.subject}
            self.tests = []
            for question in row.questions:
                self.tests.append(self.test(question, known))
            self.bind(row, known)
            if clause.guard is not None:
                self.tests.append(self.guard(clause.guard))
            body = self.emitter.inside(clause.body, self.dest) or [ast.Pass()]
            built.append((py.both(self.tests), body))
        chain = [self.no_match()]
        for test, body in reversed(built):
            always = isinstance(test, ast.Constant) and test.value is True
            chain = body if always else [ast.If(test, body, chain)]
        for statement in chain:
            self.emitter.emit(statement, self.line)

    def guard(self, guard: ir.Node) -> ast.expr:
        """A guard's test; one that needs statements becomes a function, which sees the pattern's names."""
        emitter = self.emitter
        with emitter.part() as part:
            test = emitter.test(guard)
        if not part.statements:
            return test
        part.statements.append(ast.Return(test))
        return emitter.call_part("guard", part, emitter.line(guard.span))

    def no_match(self) -> ast.stmt:
        return ast.Expr(py.call(self.emitter.unit.helper("rt_no_match"), py.load(self.subject)))

    def emit(self, tree: decisions.Tree) -> None:
        """Emit the tree, then the bodies if they do not stand in it."""
        self.tree(tree, {(): self.subject})
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

    def tree(self, tree: decisions.Tree, known: Known) -> None:
        emitter = self.emitter
        if tree is None:
            emitter.emit(self.no_match(), self.line)
        elif isinstance(tree, decisions.Leaf):
            self.leaf(tree, known)
        else:
            again = isinstance(tree.no, decisions.Ask) and tree.no.question.path == tree.question.path
            test = self.test(tree.question, known, again=again)
            yes = self.block(tree.yes, dict(known))
            emitter.emit(ast.If(test, yes, self.block(tree.no, dict(known))), self.line)

    def block(self, tree: decisions.Tree, known: Known) -> list[ast.stmt]:
        with self.emitter.block() as made:
            self.tree(tree, known)
        return made or [ast.Pass()]

    def leaf(self, leaf: decisions.Leaf, known: Known) -> None:
        emitter, clause = self.emitter, self.node.clauses[leaf.row.number]
        self.bind(leaf.row, known)
        if clause.guard is None:
            self.choose(leaf.row.number)
            return
        test = emitter.test(clause.guard)
        with emitter.block() as then:
            self.choose(leaf.row.number)
        emitter.emit(ast.If(test, then or [ast.Pass()], self.block(leaf.otherwise, known)), self.line)

    def bind(self, row: decisions.Row, known: Known) -> None:
        """Bind the variables of a clause."""
        for var, path in row.binds:
            if path in known:
                self.put(var_name(var), py.load(known[path]))
            else:
                self.part(path, known, var_name(var))

    def put(self, name: str, value: ast.expr) -> None:
        """Give a name to a value."""
        if self.tests is None:
            self.emitter.emit(py.assign(name, value), self.line)
        else:
            self.tests.append(py.bound(name, value))

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
            value = py.call(py.attribute(py.load(whole), "get"), emitter.constant(what.value))
        else:
            keys = py.tuple_of([emitter.constant(key.value) for key in what])
            value = py.call(emitter.unit.helper("rt_map_rest"), py.load(whole), keys)
        made = known[path] = name or emitter.unit.temp("p")
        self.put(made, value)
        return made

    def test(self, question: decisions.Question, known: Known, *, again: bool = False) -> ast.expr:
        """Return a question as a Python test; the length of a part gets a name where it is asked for again."""
        emitter, value = self.emitter, question.value
        name = self.part(question.path, known)
        match question.kind:
            case "vector":
                other = py.compare(py.klass(py.load(name)), ast.In(), py.load(emitter.unit.helper("rt_rows")))
                return ast.BoolOp(ast.Or(), [py.is_class(py.load(name), "tuple"), other])
            case "map":
                return py.is_class(py.load(name), emitter.unit.helper("rt_map"))
            case "length" | "least":
                operator: ast.cmpop = ast.Eq() if question.kind == "length" else ast.GtE()
                return py.compare(self.length(question, name, known, again=again), operator, py.const(value))
            case "has":
                return py.compare(emitter.constant(value.value), ast.In(), py.load(name))
            case "type":
                return checks.fits(emitter, value.type, name)
            case _:
                return self.literal(value.value, name)

    def length(self, question: decisions.Question, name: str, known: Known, *, again: bool) -> ast.expr:
        path = (*question.path, ("length", None))
        if path in known:
            return py.load(known[path])
        length: ast.expr = py.call("len", py.load(name))
        if again:
            known[path] = self.emitter.unit.temp("n")
            length = py.walrus(known[path], length)
        return length

    def literal(self, value: Any, name: str) -> ast.expr:
        """Return the test that a named value equals a literal."""
        if value is None or isinstance(value, bool | Keyword):
            return py.compare(py.load(name), ast.Is(), self.emitter.constant(value))
        if value.__class__ is str:
            return py.compare(py.load(name), ast.Eq(), py.const(value))
        if value.__class__ is int:
            return py.both([py.is_class(py.load(name), "int"), py.compare(py.load(name), ast.Eq(), py.const(value))])
        return py.call(self.emitter.unit.helper("rt_equal"), py.load(name), self.emitter.constant(value))
