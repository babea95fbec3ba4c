"""Functions and definitions: `def`s for `fn`, groups that see each other, linking, top-level names."""

from __future__ import annotations

import ast
from collections import Counter

from rtfs_framework.lang.annotations import Sequence
from rtfs_framework.lang.codegen import checks, groups, patterns
from rtfs_framework.lang.codegen import pyast as py
from rtfs_framework.lang.codegen.emitter import RETURN, Around, Dest, var_name
from rtfs_framework.lang.codegen.groups import Group
from rtfs_framework.lang.codegen.metering import further_steps
from rtfs_framework.lang.codegen.statements import Statements
from rtfs_framework.lang.codegen.unit import Unit
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.ir.summary import all_of, settings
from rtfs_framework.lang.ir.walk import defaults
from rtfs_framework.lang.never import forgotten
from rtfs_framework.lang.passes import naturals, widths
from rtfs_framework.lang.passes.kinds import Kind
from rtfs_framework.lang.passes.numbers import Version
from rtfs_framework.lang.passes.versions import Versions, specialise

_CLASSES = {
    Kind.INT: ("int",),
    Kind.FLOAT: ("float",),
    Kind.STRING: ("str",),
    Kind.VECTOR: ("tuple", "rt_grown"),
    Kind.MAP: ("rt_map",),
}
"""The classes of a parameter's kinds."""


class Emitter(Statements):
    """The whole emitter."""

    def __init__(self, unit: Unit, program: ir.Program, passes: frozenset[str]) -> None:
        super().__init__(unit, program, passes)
        self.module: list[ast.stmt] = []
        """Functions outside the entry function."""
        self.specials: dict[ir.FunctionFrame, Sequence[Version]] = {}
        """Functions that have versions for arguments of known kinds."""
        self.versions: Versions | None = None
        if "numbers" in passes:
            once = {name for name, count in _settings(program).items() if count == 1 and name in program.functions}
            self.versions = Versions(program, once)
            self.around = Around(self.versions.base())
            for special in self.versions.all():
                special.name = unit.function(special.fn.name)
        self.groups: dict[ir.FunctionFrame, Group] = {}
        if program.groups:
            named = (node.value for node in all_of(program, ir.SetGlobal))
            top = {value.frame for value in named if isinstance(value, ir.Fn)}
            for functions in program.groups:
                made = Group(functions, at_top=functions[0].frame in top)
                self.groups.update({fn.frame: made for fn in functions})

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
        if not isinstance(value, ir.Fn) or value.captures:
            return self.value(value)
        line = self.line(value.span)
        with self.block() as statements:
            if self.versions is not None:
                self._versions(value, self.versions.of(name))
            made = self._captured([value], [self.unit.function(value.name)], line)[0]
        self.module += statements
        return self.at(self._linked(value, made), line)

    def _bound(self, node: ir.Bind, line: int) -> ast.expr:
        expression = self.value(node.value)
        if node.type is not None:
            expression = checks.checked(self, expression, node.type, node.value)
        if isinstance(node.pattern, ir.PVar):
            name = var_name(node.pattern.var)
            widths.learn(node.pattern.var, node.value, self.numbers)
            naturals.learn(node.pattern.var, node.value, self.numbers)
            self.note_definition(node.pattern.var, name)
            self.emit(py.assign(name, expression), line)
            return py.load(name)
        name = self.name_it(expression, line, "v")
        patterns.bind(self, node.pattern, py.load(name), line)
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
            self._specialise(fn, var)
        self._captured([fn for _, fn in bindings], names, line, own)
        for name, (_, fn) in zip(names, bindings, strict=True):
            if fn.linked:
                self.emit(py.assign(name, self._linked(fn, name)), line)

    def _captured(
        self, functions: Sequence[ir.Fn], names: Sequence[str], line: int, own: set[ir.Var] | None = None
    ) -> Sequence[str]:
        """Emit functions under names; inside a loop they are made by a factory that keeps this iteration's values."""
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
        with self.block() as body:
            for fn, name in zip(functions, names, strict=True):
                self._define(fn, name)
            self.emit(ast.Return(py.tuple_of([py.load(name) for name in names])), line)
        factory = self.unit.function("factory")
        self.emit(py.function(factory, list(kept), None, body), line)
        self.emit(py.assign_many(names, py.call(factory, *[py.load(name) for name in kept])), line)
        return names

    def _specialise(self, fn: ir.Fn, var: ir.Var) -> None:
        """Emit a local function a second time for integers, if that makes a difference; later calls may go to it."""
        if fn.frame in self.groups or "numbers" not in self.passes:
            return
        special = specialise(fn, var, self.numbers)
        if special is not None:
            special.name = self.unit.function(fn.name)
            self.numbers.enter(var, special)
            self._versions(fn, [special])

    def _versions(self, fn: ir.Fn, versions: Sequence[Version]) -> None:
        """Emit the versions of a function for arguments of known kinds."""
        trusted = {**self.around.trusted, fn.frame: fn}
        for special in versions:
            with self.where(numbers=self.numbers.within(special), trusted=trusted):
                self._define_body(fn, special.name, ())
        if versions:
            self.specials[fn.frame] = versions

    def _to_versions(self, fn: ir.Fn, raw: Sequence[str], versions: Sequence[Version]) -> tuple[list[ast.stmt], bool]:
        """Return the entry of a function that has versions, and whether all arguments go there, not just some kinds."""
        with self.block() as made:
            checks.receive(self, fn, raw, self.line(fn.span))
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
        group = self.groups.get(fn.frame)
        if group is None:
            self._define_body(fn, name, self.specials.get(fn.frame, ()))
        else:
            groups.enter(self, group, fn, name, self.line(fn.span))

    def _define_body(self, fn: ir.Fn, name: str, versions: Sequence[Version]) -> None:
        line = self.line(fn.span)
        raw = self.raw_names(fn)
        rest_name = None
        if fn.rest is not None:
            pattern = fn.rest.pattern
            rest_name = var_name(pattern.var) if isinstance(pattern, ir.PVar) else self.unit.temp("p")
        self.frame_vars[fn.frame] = (*raw, rest_name) if rest_name else tuple(raw)
        guard, whole = self._to_versions(fn, raw, versions) if versions else ([], False)
        body = [] if whole else self._body(fn, raw, rest_name)
        self.emit(py.function(name, raw, rest_name, [*guard, *body]), line)

    def _body(self, fn: ir.Fn, raw: Sequence[str], rest_name: str | None) -> list[ast.stmt]:
        """Return the statements of a function's body."""
        line, further = self.line(fn.span), further_steps(fn.body)
        metered = self.unit.metered and not fn.frame.loops
        at_once = metered and bool(further or any(map(self.costs.costly, _defaults(fn))))
        owes = at_once or (metered and self.costs.costly(fn.body))
        with self.new_function(owes=owes, blocks=2 if fn.frame.loops else 0) as body:
            if at_once:
                self.pay(line)
                self.spend(further, line)
            self.receive(fn, raw, rest_name, line)
            self.run(fn.body, RETURN if fn.returns is None else Dest("return", check=fn.returns))
        if not fn.frame.loops:
            return body
        with self.block() as iterations:
            self.endless(body, line, further)
        return iterations

    def receive(self, fn: ir.Fn, raw: Sequence[str], rest_name: str | None, line: int) -> None:
        """Check and destructure the parameters."""
        if fn.frame not in self.around.trusted:
            checks.receive(self, fn, raw, line)
        if fn.rest is not None and rest_name is not None:
            if fn.rest.type is not None:
                checker = py.load(self.unit.checker(fn.rest.type))
                self.emit(ast.Expr(py.call(self.unit.helper("rt_check_all"), checker, py.load(rest_name))), line)
            if not isinstance(fn.rest.pattern, ir.PVar):
                patterns.bind(self, fn.rest.pattern, py.load(rest_name), line)
        for param, name in zip(fn.params, raw, strict=True):
            if not isinstance(param.pattern, ir.PVar):
                patterns.bind(self, param.pattern, py.load(name), line)

    def raw_names(self, fn: ir.Fn) -> list[str]:
        """Return the Python parameters; of parameters with one name the last counts."""
        names = [var_name(p.pattern.var) if isinstance(p.pattern, ir.PVar) else self.unit.temp("p") for p in fn.params]
        return [name if name not in names[i + 1 :] else self.unit.temp("p") for i, name in enumerate(names)]


def _settings(program: ir.Program) -> Counter[str]:
    """Return how often each top-level name is set; a name set anywhere but at top level counts twice."""
    found = settings(program)
    direct = Counter(node.name for node in program.body if isinstance(node, ir.SetGlobal))
    return Counter({name: count + (direct[name] != count) for name, count in found.items()})


def _defaults(fn: ir.Fn) -> list[ir.Node]:
    """Return what runs before the body: default values in the patterns of parameters."""
    return [part for param in (*fn.params, *filter(None, [fn.rest])) for part in defaults(param.pattern)]
