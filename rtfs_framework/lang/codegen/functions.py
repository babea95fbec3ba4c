"""Functions and definitions: `def`s for `fn`, groups that see each other, linking, top-level names."""

from __future__ import annotations

import ast

from rtfs_framework.lang.annotations import Sequence
from rtfs_framework.lang.codegen import checks
from rtfs_framework.lang.codegen import pyast as py
from rtfs_framework.lang.codegen.emitter import Dest, var_name
from rtfs_framework.lang.codegen.groups import Groups
from rtfs_framework.lang.codegen.metering import further_steps
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.ir.walk import defaults
from rtfs_framework.lang.never import forgotten
from rtfs_framework.lang.passes import widths
from rtfs_framework.lang.passes.kinds import Kind
from rtfs_framework.lang.passes.numbers import Special
from rtfs_framework.lang.passes.versions import specialise

_CLASSES = {
    Kind.INT: ("int",),
    Kind.FLOAT: ("float",),
    Kind.STRING: ("str",),
    Kind.VECTOR: ("tuple", "rt_grown"),
    Kind.MAP: ("rt_map",),
}
"""The classes of a parameter's kinds."""


class Emitter(Groups):
    """The whole emitter."""

    def defined(self, node: ir.SetGlobal | ir.Bind | ir.Letrec | ir.Fn) -> ast.expr:
        """Emit a definition and return its value."""
        line = self.line(node.span)
        match node:
            case ir.SetGlobal(name=name, value=value):
                python = self.unit.global_name(name)
                names = py.load(self.unit.helper("rt_names"))
                made = self._top_level(name, value)
                self.emit(ast.Assign([ast.Subscript(names, py.const(python), py.STORE)], made), line)
                return py.load(python)
            case ir.Bind():
                return self._bound(node, line)
            case ir.Letrec(bindings=bindings):
                self._letrec(bindings, line)
                return py.const(None)
            case ir.Fn():
                return self._linked(node, self._captured([node], [self.unit.function(node.name)], line)[0])
            case _ as never:
                raise forgotten(never)

    def _top_level(self, name: str, value: ir.Node) -> ast.expr:
        """Return the value of a top-level name; a function that captures nothing stands outside the entry function."""
        if not isinstance(value, ir.Fn):
            return self.value(value)
        if self.versions is not None:
            self._versions(value, self.versions.of(name), self.module)
        if value.captures:
            return self.value(value)
        outer, self.out = self.out, self.module
        line = self.line(value.span)
        made = self._captured([value], [self.unit.function(value.name)], line)[0]
        self.out = outer
        return self.at(self._linked(value, made), line)

    def _bound(self, node: ir.Bind, line: int) -> ast.expr:
        expression = self.value(node.value)
        if node.type is not None:
            expression = checks.checked(self, expression, node.type, node.value)
        if isinstance(node.pattern, ir.PVar):
            name = var_name(node.pattern.var)
            widths.learn(node.pattern.var, node.value, self.numbers)
            self.note_definition(node.pattern.var, name)
            self.emit(py.assign(name, expression), line)
            return py.load(name)
        name = self.name_it(expression, line, "v")
        self.bind(node.pattern, py.load(name), line)
        return py.load(name)

    def _linked(self, node: ir.Fn, name: str) -> ast.expr:
        """A function whose calls may go elsewhere is linked when it is made."""
        if not node.linked:
            return py.load(name)
        number = self.unit.link(node.signature)
        return py.call(self.unit.helper("rt_link"), py.load(name), py.const(number))

    def _letrec(self, bindings: Sequence[tuple[ir.Var, ir.Fn]], line: int) -> None:
        names = [var_name(var) for var, _ in bindings]
        for (var, _), name in zip(bindings, names, strict=True):
            self.note_definition(var, name)
        for name, (_, fn) in zip(names, bindings, strict=True):
            self.unit.functions[name] = fn.name
        self.function_vars.update(var for var, _ in bindings)
        own = {var for var, _ in bindings}
        looped = any(var.looped for _, fn in bindings for var in fn.captures)
        for var, fn in bindings if not looped else ():
            self._specialise(fn, var, self.out)
        self._captured([fn for _, fn in bindings], names, line, own)
        for name, (_, fn) in zip(names, bindings, strict=True):
            if fn.linked:
                self.emit(py.assign(name, self._linked(fn, name)), line)

    def _captured(
        self, functions: Sequence[ir.Fn], names: Sequence[str], line: int, own: set[ir.Var] | None = None
    ) -> Sequence[str]:
        """Emit functions under names; inside a loop they are made by a factory that keeps this round's values."""
        kept = {
            var_name(var): None
            for fn in functions
            for var in fn.captures
            if var.looped and var not in (own or ()) and var.owner is not fn.frame
        }
        if not kept:
            for fn, name in zip(functions, names, strict=True):
                self._define(fn, name)
            return names
        outer = self.block()
        for fn, name in zip(functions, names, strict=True):
            self._define(fn, name)
        self.emit(ast.Return(py.tuple_of([py.load(name) for name in names])), line)
        factory = self.unit.function("factory")
        body = self.take(outer)
        self.emit(py.function(factory, list(kept), None, body), line)
        self.emit(py.assign_many(names, py.call(factory, *[py.load(name) for name in kept])), line)
        return names

    def _specialise(self, fn: ir.Fn, var: ir.Var, out: list[ast.stmt]) -> None:
        """Emit a local function a second time for integers, if that makes a difference; later calls may go to it."""
        if fn.frame in self.groups or "numbers" not in self.passes:
            return
        special = specialise(fn, var, self.numbers)
        if special is not None:
            special.name = self.unit.function(fn.name)
            self.numbers.enter(var, special)
            self._versions(fn, [special], out)

    def _versions(self, fn: ir.Fn, versions: Sequence[Special], out: list[ast.stmt]) -> None:
        """Emit the versions of a function for arguments of known kinds."""
        for special in versions:
            outer, numbers, self.out = self.out, self.numbers, out
            self.numbers, self.trusted[fn.frame] = self.numbers.within(special), fn
            self._define_body(fn, special.name, ())
            self.out, self.numbers = outer, numbers
            del self.trusted[fn.frame]
        if versions:
            self.specials[fn.frame] = versions

    def _to_versions(self, fn: ir.Fn, raw: Sequence[str], versions: Sequence[Special]) -> tuple[list[ast.stmt], bool]:
        """Return the entry of a function that has versions, and whether all arguments go there, not just some kinds."""
        outer = self.block()
        checks.receive(self, fn, raw, self.line(fn.span))
        made = self.take(outer)
        for special in versions:
            wanted = zip(fn.params, raw, special.kinds, strict=True)
            tests = [self._is_of(name, kind) for p, name, kind in wanted if kind is not None and p.type is None]
            go = ast.Return(py.call(special.name, *[py.load(name) for name in raw]))
            py.locate(go, self.unit.passing_line(fn.span))
            if not tests:
                return [*made, go], True
            made.append(ast.If(py.both(tests), [go], []))
        return made, False

    def _is_of(self, name: str, kind: Kind) -> ast.expr:
        """Return the test that a variable is of a kind."""
        classes = _CLASSES[kind]
        tests: list[ast.expr] = [
            py.is_class(py.load(name), self.unit.helper(each) if each.startswith("rt_") else each) for each in classes
        ]
        return tests[0] if len(tests) == 1 else ast.BoolOp(ast.Or(), tests)

    def _define(self, fn: ir.Fn, name: str) -> None:
        """Emit one `def`; a member of a group only enters the group's loop."""
        line = self.line(fn.span)
        group = self.groups.get(fn.frame)
        if group is not None:
            self.enter_group(group, fn, name, line)
            return
        self._define_body(fn, name, self.specials.get(fn.frame, ()))

    def _define_body(self, fn: ir.Fn, name: str, versions: Sequence[Special]) -> None:
        line = self.line(fn.span)
        raw = self.raw_names(fn)
        rest_name = None
        if fn.rest is not None:
            pattern = fn.rest.pattern
            rest_name = var_name(pattern.var) if isinstance(pattern, ir.PVar) else self.unit.temp("p")
        self.frame_vars[fn.frame] = (*raw, rest_name) if rest_name else tuple(raw)
        loops, self.loop_vars = self.loop_vars, []
        guard, whole = self._to_versions(fn, raw, versions) if versions else ([], False)
        body = [] if whole else self._body(fn, raw, rest_name)
        self.loop_vars = loops
        self.emit(py.function(name, raw, rest_name, [*guard, *body]), line)

    def _body(self, fn: ir.Fn, raw: Sequence[str], rest_name: str | None) -> list[ast.stmt]:
        """Return the statements of a function's body."""
        line, further = self.line(fn.span), further_steps(fn.body)
        outer, owed = self.block(), self.owed
        with self.new_function(blocks=2 if fn.frame.loops else 0):
            self.owed = self.unit.metered and not fn.frame.loops
            if self.owed and (further or any(map(self.costs.costly, _defaults(fn)))):
                self.pay(line)
                self.spend(further, line)
            self.receive(fn, raw, rest_name, line)
            self.run(fn.body, Dest("return", check=fn.returns))
        body = self.take(outer)
        self.owed = owed
        if fn.frame.loops:
            outer = self.block()
            self.endless(body, line, further)
            body = self.take(outer)
        return body


def _defaults(fn: ir.Fn) -> list[ir.Node]:
    """Return what runs before the body: default values in the patterns of parameters."""
    return [part for param in (*fn.params, *filter(None, [fn.rest])) for part in defaults(param.pattern)]
