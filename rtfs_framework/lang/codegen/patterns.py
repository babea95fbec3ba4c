"""Patterns: destructuring as assignments (`bind`), and the patterns of `match` as one truth test each (`fits`)."""

from __future__ import annotations

import ast

from rtfs_framework.lang.annotations import Any
from rtfs_framework.lang.codegen import checks
from rtfs_framework.lang.codegen import pyast as py
from rtfs_framework.lang.codegen.emitter import var_name
from rtfs_framework.lang.codegen.expressions import Expressions
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.never import forgotten
from rtfs_framework.lang.values import Keyword


class Patterns(Expressions):
    """The part of the emitter that knows patterns."""

    def bind(self, pattern: ir.Pattern, expression: ast.expr, line: int) -> None:
        """Emit assignments that bind a pattern: lengths are forgiving, nil gives nils."""
        match pattern:
            case ir.PVar(var=var):
                self.emit(py.assign(var_name(var), expression), line)
            case ir.PIgnore():
                if not isinstance(expression, ast.Name | ast.Constant):
                    self.emit(ast.Expr(expression), line)
            case ir.PVector():
                self._bind_vector(pattern, expression, line)
            case ir.PMap():
                self._bind_map(pattern, expression, line)
            case ir.PLiteral() | ir.PType() | ir.PAs():
                raise AssertionError(pattern)  # the analyzer admits them only in match
            case _ as never:
                raise forgotten(never)

    def _target(self, pattern: ir.Pattern) -> tuple[str, bool]:
        """Return the name that a part is put into, and whether it needs further binding."""
        if isinstance(pattern, ir.PVar):
            return var_name(pattern.var), False
        return self.unit.temp("p"), not isinstance(pattern, ir.PIgnore)

    def _bind_vector(self, pattern: ir.PVector, expression: ast.expr, line: int) -> None:
        name = self.name_it(expression, line, "v")
        parts = list(pattern.items) + ([pattern.rest] if pattern.rest is not None else [])
        targets = [self._target(part) for part in parts]
        count = len(pattern.items)
        if pattern.rest is None:
            fast = py.both(
                [
                    py.is_class(py.load(name), "tuple"),
                    py.compare(py.call("len", py.load(name)), ast.Eq(), py.const(count)),
                ]
            )
            slow = py.call(self.unit.helper("rt_spread"), py.load(name), py.const(count))
            value: ast.expr = py.either(fast, py.load(name), slow)
        else:
            value = py.call(self.unit.helper("rt_spread_rest"), py.load(name), py.const(count))
        if targets:
            self.emit(py.assign_many([target for target, _ in targets], value), line)
        else:
            self.emit(ast.Expr(value), line)
        if pattern.whole is not None:
            self.emit(py.assign(var_name(pattern.whole), py.load(name)), line)
        for part, (target, more) in zip(parts, targets, strict=True):
            if more:
                self.bind(part, py.load(target), line)

    def _bind_map(self, pattern: ir.PMap, expression: ast.expr, line: int) -> None:
        whole = self.name_it(expression, line, "v")
        name = self.unit.temp("m")
        self.emit(py.assign(name, py.call(self.unit.helper("rt_as_map"), py.load(whole))), line)
        if pattern.whole is not None:
            self.emit(py.assign(var_name(pattern.whole), py.load(whole)), line)
        for entry in pattern.entries:
            self.bind(entry.pattern, self._entry(name, entry), line)
        if pattern.rest is not None:
            keys = py.tuple_of([self.constant(entry.key) for entry in pattern.entries])
            self.bind(pattern.rest, py.call(self.unit.helper("rt_map_rest"), py.load(name), keys), line)

    def _entry(self, name: str, entry: ir.PMapEntry) -> ast.expr:
        found = py.call(ast.Attribute(py.load(name), "get", py.LOAD), self.constant(entry.key))
        if entry.default is None:
            return found
        there = py.compare(self.constant(entry.key), ast.In(), py.load(name))
        outer = self.block()
        default = self.value(entry.default)
        other = self.take(outer)
        if not other:
            return py.either(there, found, default)
        target, line = self.unit.temp("o"), self.line(entry.default.span)
        last = py.assign(target, default)
        py.locate(last, line)
        other.append(last)
        then = py.assign(target, found)
        py.locate(then, line)
        self.emit(ast.If(there, [then], other), line)
        return py.load(target)

    def fits(self, pattern: ir.Pattern, subject: str) -> list[ast.expr]:
        """Return tests that are all true when a pattern fits; they bind its names on the way."""
        match pattern:
            case ir.PVar(var=var):
                return [py.bound(var_name(var), py.load(subject))]
            case ir.PIgnore():
                return []
            case ir.PLiteral(value=value):
                return [self.literal(value, subject)]
            case ir.PAs(var=var, pattern=inner):
                return [*self.fits(inner, subject), py.bound(var_name(var), py.load(subject))]
            case ir.PType(type=declared, pattern=inner):
                return [checks.fits(self, declared, subject), *self.fits(inner, subject)]
            case ir.PVector():
                return self._fits_vector(pattern, subject)
            case ir.PMap():
                return self._fits_map(pattern, subject)
            case _ as never:
                raise forgotten(never)

    def literal(self, value: Any, subject: str) -> ast.expr:
        """Return the test that a named value equals a literal."""
        if value is None or isinstance(value, bool | Keyword):
            return py.compare(py.load(subject), ast.Is(), self.constant(value))
        if value.__class__ is str:
            return py.compare(py.load(subject), ast.Eq(), py.const(value))
        if value.__class__ is int:
            return py.both(
                [py.is_class(py.load(subject), "int"), py.compare(py.load(subject), ast.Eq(), py.const(value))]
            )
        return py.call(self.unit.helper("rt_equal"), py.load(subject), self.constant(value))

    def is_row(self, subject: str) -> ast.expr:
        """Return the test that a value is a vector or a list, which fits the pattern of a vector too."""
        kind = ast.Attribute(py.load(subject), "__class__", ast.Load())
        other = py.compare(kind, ast.In(), py.load(self.unit.helper("rt_rows")))
        return ast.BoolOp(ast.Or(), [py.is_class(py.load(subject), "tuple"), other])

    def _part(self, pattern: ir.Pattern, value: ast.expr) -> list[ast.expr]:
        if isinstance(pattern, ir.PVar):
            return [py.bound(var_name(pattern.var), value)]
        if isinstance(pattern, ir.PIgnore):
            return []
        temp = self.unit.temp("p")
        return [py.bound(temp, value), *self.fits(pattern, temp)]

    def _fits_vector(self, pattern: ir.PVector, subject: str) -> list[ast.expr]:
        kind = self.is_row(subject)
        operator: ast.cmpop = ast.Eq() if pattern.rest is None else ast.GtE()
        count = len(pattern.items)
        tests = [kind, py.compare(py.call("len", py.load(subject)), operator, py.const(count))]
        for i, item in enumerate(pattern.items):
            tests += self._part(item, py.index(py.load(subject), i))
        if pattern.rest is not None:
            tests += self._part(pattern.rest, py.tail_from(subject, count, self.unit.helper("rt_tail")))
        if pattern.whole is not None:
            tests.append(py.bound(var_name(pattern.whole), py.load(subject)))
        return tests

    def _fits_map(self, pattern: ir.PMap, subject: str) -> list[ast.expr]:
        tests: list[ast.expr] = [py.is_class(py.load(subject), self.unit.helper("rt_map"))]
        for entry in pattern.entries:
            tests.append(py.compare(self.constant(entry.key), ast.In(), py.load(subject)))
            found = py.call(ast.Attribute(py.load(subject), "get", py.LOAD), self.constant(entry.key))
            tests += self._part(entry.pattern, found)
        if pattern.rest is not None:
            keys = py.tuple_of([self.constant(entry.key) for entry in pattern.entries])
            tests += self._part(pattern.rest, py.call(self.unit.helper("rt_map_rest"), py.load(subject), keys))
        if pattern.whole is not None:
            tests.append(py.bound(var_name(pattern.whole), py.load(subject)))
        return tests
