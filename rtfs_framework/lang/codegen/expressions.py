"""Expressions: `value` for every node, truth tests, calls."""

from __future__ import annotations

import ast
from abc import ABC, abstractmethod

from rtfs_framework.lang.annotations import Any, Sequence
from rtfs_framework.lang.codegen import checks, in_place, operators, shortcuts
from rtfs_framework.lang.codegen import pyast as py
from rtfs_framework.lang.codegen.emitter import DROP, Dest, EmitterBase, only_definitions, steady, var_name
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.maps import is_plain
from rtfs_framework.lang.meter import visited
from rtfs_framework.lang.never import forgotten
from rtfs_framework.lang.passes.kinds import Kind
from rtfs_framework.lang.values import Keyword


class Expressions(EmitterBase, ABC):
    """The part of the emitter that makes expressions."""

    @abstractmethod
    def run(self, node: ir.Node, dest: Dest) -> None:
        """Emit a node as statements (see `statements.py`)."""

    def value(self, node: ir.Node) -> ast.expr:
        """Return the expression of a node; statements that must run before it are in `out`."""
        if isinstance(node, ir.Const):  # cannot fail, so its place is that of what is around it
            return self.constant(node.value)
        if isinstance(node, ir.Local) and not (node.var.leaves_part or node.var in self.function_vars):
            return py.load(var_name(node.var))
        visited()
        return self.at(self._value(node), self.line(node.span))

    def _value(self, node: ir.Node) -> ast.expr:  # noqa: C901, PLR0912 - one line per kind of node
        match node:
            case ir.Const():
                return self.constant(node.value)
            case ir.Local(var=var):
                return py.load(var_name(var))
            case ir.Global(name=name):
                return py.load(self.unit.global_name(name))
            case ir.Builtin(name=name):
                return py.load(self.unit.builtin(name))
            case ir.HostName(name=name) if name in self.defined_names:
                return py.load(self.unit.global_name(name))
            case ir.HostName(name=name):
                return py.call(self.unit.helper("rt_host_name"), py.const(name))
            case ir.If():
                return self.branch(node)
            case ir.And() | ir.Or():
                return self.junction(node)
            case ir.Call():
                return self.call(node)
            case ir.Arities(functions=functions):
                return py.call(self.unit.helper("rt_arities"), *self.values(functions))
            case ir.VectorNode(items=items):
                return py.tuple_of(self.values(items))
            case ir.MapNode():
                return self.map(node)
            case ir.SetNode(items=items):
                return py.call(self.unit.helper("rt_set"), py.tuple_of(self.values(items)))
            case ir.Check(result=True):
                return self._by_statements(node, "k")
            case ir.Check(value=inner, type=declared):
                return checks.checked(self, self.value(inner), declared, inner)
            case ir.Fail(kind=kind, message=message):
                return py.call(self.unit.helper("rt_fail"), py.const(kind), py.const(message))
            case ir.Do(items=items):
                return self._value_of(items) if items else py.const(None)
            case ir.SetGlobal() | ir.Bind() | ir.Letrec() | ir.Fn():
                return self.defined(node)
            case ir.Inlined():
                with self.unit.inlining(node.name, self.line(node.span)):
                    return self.value(node.body)
            case ir.Fresh():
                return in_place.fresh(self, node)
            case ir.Grow():
                return in_place.grow(self, node)
            case ir.Look():
                return in_place.look(self, node)
            case ir.Freeze(var=var):
                in_place.freeze(self, var, is_map=node.is_map, line=self.line(node.span))
                return py.const(None)
            case ir.Push() | ir.Stop():
                self.run(node, DROP)
                return py.const(None)
            case ir.Loop() | ir.Match() | ir.Try() | ir.Hinted() | ir.Recur() | ir.Each():
                return self._by_statements(node, "r")
            case _ as never:
                raise forgotten(never)

    def _value_of(self, items: tuple[ir.Node, ...]) -> ast.expr:
        for item in items[:-1]:
            self.run(item, DROP)
        return self.value(items[-1])

    def _by_statements(self, node: ir.Node, what: str) -> ast.expr:
        temp = self.unit.temp(what)
        self.run(node, Dest("assign", temp))
        return py.load(temp)

    @abstractmethod
    def defined(self, node: ir.SetGlobal | ir.Bind | ir.Letrec | ir.Fn) -> ast.expr:
        """Emit a definition and return its value (see `functions.py`)."""

    def constant(self, value: Any) -> ast.expr:
        """Return a literal."""
        if (
            value is None
            or value.__class__ in (bool, str, float)
            or (value.__class__ is int and abs(value) < 1 << 4000)
        ):
            return py.const(value)
        return py.load(self.unit.constant(value))

    def values(self, nodes: Sequence[ir.Node]) -> list[ast.expr]:
        """Return the expressions of nodes that are evaluated from left to right."""
        made: list[ast.expr] = []
        for node in nodes:
            mark = len(self.out)
            expression = self.value(node)
            if len(self.out) > mark and not only_definitions(self.out[mark:]):
                self._spill(made, mark, self.line(node.span))
            made.append(expression)
        return made

    def _spill(self, made: list[ast.expr], mark: int, line: int) -> None:
        """Put what was computed so far into temporaries, before the statements from `mark` on."""
        spilled: list[ast.stmt] = []
        for i, expression in enumerate(made):
            if not steady(expression):
                temp = self.unit.temp("s")
                statement = py.assign(temp, expression)
                py.locate(statement, line)
                spilled.append(statement)
                made[i] = self.at(py.load(temp), line)
        self.out[mark:mark] = spilled

    def branch(self, node: ir.If) -> ast.expr:
        """A conditional expression, or statements when a branch needs some."""
        test = self.test(node.test)
        with self.block() as then_block:
            then = self.value(node.then)
        with self.block() as other_block:
            other = self.value(node.otherwise)
        if not then_block and not other_block:
            return py.either(test, then, other)
        temp, line = self.unit.temp("i"), self.line(node.span)
        first, second = py.assign(temp, then), py.assign(temp, other)
        py.locate(first, line)
        py.locate(second, line)
        self.emit(ast.If(test, [*then_block, first], [*other_block, second]), line)
        return py.load(temp)

    def test(self, node: ir.Node) -> ast.expr:
        """Return a Python truth test of a node: only nil and false are false."""
        line = self.line(node.span)
        if isinstance(node, ir.Const):
            return self.at(py.const(value=not (node.value is None or node.value is False)), line)
        if isinstance(node, ir.And | ir.Or):
            made = self._tests(node)
            if made is not None:
                return self.at(made, line)
        expression = self.value(node)
        if self.numbers.kind(node) is Kind.BOOL:
            return expression
        if isinstance(expression, ast.Name) and py.is_local(expression):
            return self.at(py.is_true(py.load(expression.id), expression.id), line)
        name = self.unit.temp("b")
        return self.at(py.is_true(py.walrus(name, expression), name), line)

    def _tests(self, node: ir.And | ir.Or) -> ast.expr | None:
        """Return the tests of a junction as one expression, or None when an item needs statements."""
        if id(node) in self.stated:
            return None
        start = mark = len(self.out)
        tests = []
        for i, item in enumerate(node.items):
            tests.append(self.test(item))
            if i and len(self.out) > mark:
                del self.out[start:]  # the first item's too: the caller emits every item again
                self.stated[id(node)] = node
                return None
            mark = len(self.out)
        return ast.BoolOp(ast.And() if isinstance(node, ir.And) else ast.Or(), tests)

    def junction(self, node: ir.And | ir.Or) -> ast.expr:
        """`and` and `or` as values: nested branches on the items before the last."""
        items = node.items
        if all(self.numbers.kind(item) is Kind.BOOL for item in items):
            made = self._tests(node)
            if made is not None:
                return made
        temp = self.unit.temp("j")
        self._junction_into(node, items, temp)
        return py.load(temp)

    def _junction_into(self, node: ir.And | ir.Or, items: Sequence[ir.Node], temp: str) -> None:
        line = self.line(items[0].span)
        self.emit(py.assign(temp, self.value(items[0])), line)
        if len(items) == 1:
            return
        true = py.is_true(py.load(temp), temp)
        test: ast.expr = true if isinstance(node, ir.And) else ast.UnaryOp(ast.Not(), true)
        with self.block() as rest:
            self._junction_into(node, items[1:], temp)
        self.emit(ast.If(test, rest, []), line)

    def map(self, node: ir.MapNode) -> ast.expr:
        """A map literal: a dict display when Python's keys will do."""
        values = self.values([value for _, value in node.pairs])
        keys = [self.constant(key) for key, _ in node.pairs]
        if all(is_plain(key) for key, _ in node.pairs):
            return py.call(self.unit.helper("rt_wrap"), ast.Dict(list(keys), values))
        pairs = [py.tuple_of(pair) for pair in zip(keys, values, strict=True)]
        return py.call(self.unit.helper("rt_map_of"), py.tuple_of(pairs))

    def call(self, node: ir.Call) -> ast.expr:
        """A call: an operator, a direct call, or a call of a value that is only known when it runs."""
        target = node.function
        if isinstance(target, ir.Builtin):
            operator = operators.emit(self, target, node)
            if operator is not None:
                return operator
        special = self.numbers.special(node)
        if special is not None and special.name:
            return self._placed(py.call(special.name, *self.values(node.args)), node, special.name, special.fn.name)
        if isinstance(target, ir.Const) and isinstance(target.value, Keyword):
            short = shortcuts.keyword(self, node) if "shortcuts" in self.passes else None
            if short is not None:
                return self._placed(short, node)
            args = self.values(node.args)
            return self._placed(py.call(self.unit.helper("rt_keyword"), self.constant(target.value), *args), node)
        if self._is_direct(target):
            function, *args = self.values((target, *node.args))
            assert isinstance(function, ast.Name)  # noqa: S101 - `_is_direct` admits only names
            display = target.name if isinstance(target, ir.Builtin | ir.Global) else ""
            return self._placed(py.call(function, *args), node, function.id, display)
        name = self.name_it(self.value(target), self.line(target.span), "f")
        args = self.values(node.args)
        asked = target.name if isinstance(target, ir.HostName) and target.name not in self.defined_names else ""
        op = [py.const(asked)] if asked else []
        checked = py.either(
            py.is_class(py.load(name), self.unit.helper("rt_function")),
            py.load(name),
            py.call(self.unit.helper("rt_callable"), py.load(name), py.const(len(args)), *op),
        )
        return self._placed(py.call(checked, *args), node, name, asked)

    def _is_direct(self, target: ir.Node) -> bool:
        if isinstance(target, ir.Builtin):
            return True
        if isinstance(target, ir.Global):
            return target.name in self.functions
        return isinstance(target, ir.Local) and target.var in self.function_vars

    def _placed(self, made: ast.expr, node: ir.Call, callee: str | None = None, display: str = "") -> ast.expr:
        """Give a call a line of its own, so that an error in it knows what was called."""
        return self.at(made, self.unit.call_line(node.span, callee, display, len(node.args)))
