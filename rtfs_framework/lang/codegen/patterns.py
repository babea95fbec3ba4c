"""Patterns: destructuring as assignments; those of `match` are in `matching`."""

from __future__ import annotations

import ast

from rtfs_framework.lang.codegen import pyast as py
from rtfs_framework.lang.codegen.emitter import var_name
from rtfs_framework.lang.codegen.expressions import Expressions
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.never import forgotten


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
