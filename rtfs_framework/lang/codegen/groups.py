"""Groups: functions that jump to each other in tail position are emitted as one Python function, a loop over states."""

from __future__ import annotations

import ast

from rtfs_framework.lang import records
from rtfs_framework.lang.annotations import TYPE_CHECKING
from rtfs_framework.lang.codegen import pyast as py
from rtfs_framework.lang.codegen.emitter import Dest
from rtfs_framework.lang.codegen.metering import further_steps
from rtfs_framework.lang.ir import nodes as ir

if TYPE_CHECKING:
    from rtfs_framework.lang.codegen.functions import Emitter


@records.define(eq=False)
class Group:
    """A group of functions; `name` is the Python function of the loop once it is emitted."""

    members: tuple[ir.Fn, ...]
    at_top: bool
    """Whether they are top-level functions: their loop stands outside the entry function."""
    name: str = ""

    @property
    def width(self) -> int:
        """The most parameters that a member takes."""
        return max(len(member.params) for member in self.members)


def enter(emitter: Emitter, group: Group, fn: ir.Fn, name: str, line: int) -> None:
    """Emit the function that enters a group's loop at one member."""
    if not group.name:
        group.name = emitter.unit.function("group")
        made = _loop(emitter, group, line)
        (emitter.module if group.at_top else emitter.out).append(made)
    params = emitter.raw_names(fn)
    given = [*map(py.load, params), *[py.const(None)] * (group.width - len(params))]
    state = [member.frame for member in group.members].index(fn.frame)
    emitter.emit(py.function(name, params, None, [ast.Return(py.call(group.name, py.const(state), *given))]), line)


def _loop(emitter: Emitter, group: Group, line: int) -> ast.stmt:
    """Return the function that runs a group: `state` says whose body comes next."""
    state, given = emitter.unit.temp("state"), [emitter.unit.temp("g") for _ in range(group.width)]
    raws = [emitter.raw_names(fn) for fn in group.members]
    for number, (fn, raw) in enumerate(zip(group.members, raws, strict=True)):
        emitter.frame_vars[fn.frame] = tuple(raw)
        emitter.frame_state[fn.frame] = (state, number)
        emitter.unit.functions[group.name] = fn.name
    with emitter.new_function(blocks=2) as body:
        starts = [[py.assign(r, py.load(g)) for r, g in zip(raw, given, strict=False)] for raw in raws]
        emitter.emit(_switch(state, [list[ast.stmt](block) for block in starts]), line)
        bodies = []
        for fn, raw in zip(group.members, raws, strict=True):
            with emitter.block() as made:
                emitter.receive(fn, raw, None, line)
                emitter.run(fn.body, Dest("return", check=fn.returns))
            bodies.append(made)
        emitter.endless([_switch(state, bodies)], line, sum(further_steps(fn.body) for fn in group.members))
    function = py.function(group.name, [state, *given], None, body)
    py.locate(function, line)
    return function


def _switch(state: str, blocks: list[list[ast.stmt]]) -> ast.stmt:
    """Return `if state == 0: ... elif state == 1: ... else: ...`."""
    chain = blocks[-1] or [ast.Pass()]
    for number in range(len(blocks) - 2, -1, -1):
        test = py.compare(py.load(state), ast.Eq(), py.const(number))
        chain = [ast.If(test, blocks[number] or [ast.Pass()], chain)]
    return chain[0] if len(chain) == 1 else ast.If(py.const(value=True), chain, [])
