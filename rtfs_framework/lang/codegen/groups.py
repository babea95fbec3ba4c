"""Groups: functions that jump to each other in tail position are emitted as one Python function, a loop over states."""

from __future__ import annotations

import ast
from collections import Counter

from rtfs_framework.lang import records
from rtfs_framework.lang.annotations import Sequence
from rtfs_framework.lang.codegen import checks
from rtfs_framework.lang.codegen import pyast as py
from rtfs_framework.lang.codegen.emitter import Dest, var_name
from rtfs_framework.lang.codegen.metering import further_steps
from rtfs_framework.lang.codegen.statements import Statements
from rtfs_framework.lang.codegen.unit import Unit
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.ir.summary import all_of, settings
from rtfs_framework.lang.passes.numbers import Special
from rtfs_framework.lang.passes.versions import Versions


@records.define(eq=False)
class Group:
    """A group of functions; `name` is the Python function of the loop once it is emitted."""

    members: tuple[ir.Fn, ...]
    name: str = ""

    @property
    def width(self) -> int:
        """The most parameters that a member takes."""
        return max(len(member.params) for member in self.members)


class Groups(Statements):
    """The part of the emitter that makes groups."""

    def __init__(self, unit: Unit, program: ir.Program, passes: frozenset[str]) -> None:
        super().__init__(unit, program, passes)
        self.module: list[ast.stmt] = []
        """Functions outside the entry function: the loops of groups of top-level functions."""
        self.specials: dict[ir.FunctionFrame, Sequence[Special]] = {}
        """Functions that have versions for arguments of known kinds."""
        self.versions: Versions | None = None
        if "numbers" in passes:
            once = {name for name, count in _settings(program).items() if count == 1 and name in program.functions}
            self.versions = Versions(program, once)
            self.numbers = self.versions.base().settled()
            for special in self.versions.all():
                special.name = unit.function(special.fn.name)
        self.groups: dict[ir.FunctionFrame, Group] = {}
        self.top_groups: set[ir.FunctionFrame] = set()
        for functions in program.groups:
            made = Group(functions)
            self.groups.update({fn.frame: made for fn in functions})
        if program.groups:
            named = (node.value for node in all_of(program, ir.SetGlobal))
            self.top_groups.update(value.frame for value in named if isinstance(value, ir.Fn))

    def receive(self, fn: ir.Fn, raw: Sequence[str], rest_name: str | None, line: int) -> None:
        """Check and destructure the parameters."""
        if fn.frame not in self.trusted:
            checks.receive(self, fn, raw, line)
        if fn.rest is not None and rest_name is not None:
            if fn.rest.type is not None:
                checker = py.load(self.unit.checker(fn.rest.type))
                self.emit(ast.Expr(py.call(self.unit.helper("rt_check_all"), checker, py.load(rest_name))), line)
            if not isinstance(fn.rest.pattern, ir.PVar):
                self.bind(fn.rest.pattern, py.load(rest_name), line)
        for param, name in zip(fn.params, raw, strict=True):
            if not isinstance(param.pattern, ir.PVar):
                self.bind(param.pattern, py.load(name), line)

    def raw_names(self, fn: ir.Fn) -> list[str]:
        """Return the Python parameters; of parameters with one name the last counts."""
        names = [var_name(p.pattern.var) if isinstance(p.pattern, ir.PVar) else self.unit.temp("p") for p in fn.params]
        return [name if name not in names[i + 1 :] else self.unit.temp("p") for i, name in enumerate(names)]

    def enter_group(self, group: Group, fn: ir.Fn, name: str, line: int) -> None:
        """Emit the function that enters a group's loop at one member."""
        if not group.name:
            group.name = self.unit.function("group")
            made = self._loop(group, line)
            if fn.frame in self.top_groups:
                self.module.append(made)
            else:
                self.out.append(made)
        params = self.raw_names(fn)
        given = [*map(py.load, params), *[py.const(None)] * (group.width - len(params))]
        state = [member.frame for member in group.members].index(fn.frame)
        self.emit(py.function(name, params, None, [ast.Return(py.call(group.name, py.const(state), *given))]), line)

    def _loop(self, group: Group, line: int) -> ast.stmt:
        """Return the function that runs a group: `state` says whose body comes next."""
        state, given = self.unit.temp("state"), [self.unit.temp("g") for _ in range(group.width)]
        raws = [self.raw_names(fn) for fn in group.members]
        for number, (fn, raw) in enumerate(zip(group.members, raws, strict=True)):
            self.frame_vars[fn.frame] = tuple(raw)
            self.frame_state[fn.frame] = (state, number)
        outer, loops, owed = self.block(), self.loop_vars, self.owed
        self.loop_vars, self.owed = [], False
        starts = [[py.assign(r, py.load(g)) for r, g in zip(raw, given, strict=False)] for raw in raws]
        self.emit(_switch(state, [list[ast.stmt](block) for block in starts]), line)
        with self.new_function(blocks=2):
            bodies = [self._member(fn, raw, line) for fn, raw in zip(group.members, raws, strict=True)]
        self.endless([_switch(state, bodies)], line, sum(further_steps(fn.body) for fn in group.members))
        body = self.take(outer)
        self.loop_vars, self.owed = loops, owed
        for fn in group.members:
            self.unit.functions[group.name] = fn.name
        made = py.function(group.name, [state, *given], None, body)
        py.locate(made, line)
        return made

    def _member(self, fn: ir.Fn, raw: list[str], line: int) -> list[ast.stmt]:
        outer = self.block()
        self.receive(fn, raw, None, line)
        self.run(fn.body, Dest("return", check=fn.returns))
        return self.take(outer)


def _settings(program: ir.Program) -> Counter[str]:
    """Return how often each top-level name is set; a name set anywhere but at top level counts twice."""
    found = settings(program)
    direct = Counter(node.name for node in program.body if isinstance(node, ir.SetGlobal))
    return Counter({name: count + (direct[name] != count) for name, count in found.items()})


def _switch(state: str, blocks: list[list[ast.stmt]]) -> ast.stmt:
    """Return `if state == 0: ... elif state == 1: ... else: ...`."""
    chain = blocks[-1] or [ast.Pass()]
    for number in range(len(blocks) - 2, -1, -1):
        test = py.compare(py.load(state), ast.Eq(), py.const(number))
        chain = [ast.If(test, blocks[number] or [ast.Pass()], chain)]
    return chain[0] if len(chain) == 1 else ast.If(py.const(value=True), chain, [])
