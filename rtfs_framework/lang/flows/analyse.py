"""From a checked program to its flows: units are looked at until nothing grows, then who calls whom is followed.

In: the IR before any pass. Out: `Flows`. Linear in practice: a unit is looked at again only when a cell that it has
read has grown, and sets of sources are bits of integers. What takes too long, or is not understood, floats.
"""

from __future__ import annotations

from rtfs_framework.lang.annotations import Callable
from rtfs_framework.lang.flows.calls import run_body
from rtfs_framework.lang.flows.library import REMEMBER
from rtfs_framework.lang.flows.model import Flows
from rtfs_framework.lang.flows.state import State, Unit
from rtfs_framework.lang.flows.values import BOTTOM
from rtfs_framework.lang.flows.walk import GivenUpError, Walk
from rtfs_framework.lang.flows.ways import ways
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.ir.summary import Summary, summary
from rtfs_framework.lang.ir.walk import everything
from rtfs_framework.lang.library import Library
from rtfs_framework.lang.source import Place, Span

MOST_NODES = 60
"""Nodes of a function that is looked at where it is called."""
MOST_ENTRIES = 16
"""Functions that a host may call whose parameters are told apart; of more, those of one name are one."""
_LOOKS, _FIRST_LOOKS = 8, 50_000
"""How often nodes are looked at, on average and beside that, before the analysis is given up."""
_ROUNDS = 16
"""How often what a run remembers may grow by what is known only at the end."""


def analyse(program: ir.Program, library: Library, place: Callable[[Span], Place], *, explained: bool = False) -> Flows:
    """Return the flows of a program, `explained` with the ways of sources; no flow where it is not understood."""
    state = State(program, library, place)
    remembers = any(not REMEMBER.isdisjoint(summary(program, node).functions) for node in program.body)
    try:
        _prepare(state)
        for _ in range(_ROUNDS):
            _settle(state)
            _follow(state)
            if not _remember(state):
                return _told(state, remembers=remembers, explained=explained)
    except (GivenUpError, RecursionError):
        pass
    return Flows((), {}, remembers=remembers)  # all floats


def _prepare(state: State) -> None:
    """Note what is defined where, and what the host may call."""
    program, count = state.program, state.count
    for number, node in enumerate(program.body):
        seen = summary(program, node)
        for fn in seen.by_kind.get(ir.Fn, ()):
            state.captured.update(fn.captures)
            state.root_of[fn] = number
        state.reduces = state.reduces or "reduced" in seen.functions
        if isinstance(node, ir.SetGlobal) and count[node.name] == 1:
            state.defined_at[node.name] = number
            if isinstance(node.value, ir.Fn) and _is_small(node.value, seen):
                state.small.add(node.value)
        state.left += _LOOKS * len(seen.nodes)
    state.left += _FIRST_LOOKS
    state.ranks = _ranks(program)
    state.small = {fn for fn in state.small if not _comes_back(state, fn)}
    state.roots = [Unit("", node, None, number) for number, node in enumerate(program.body)]
    for unit in state.roots:
        state.again(unit)
    entries = _entries(state)
    told = len(entries) <= MOST_ENTRIES
    for name, functions in entries.items():
        state.entries.append(name)
        for fn in functions:
            _called_by_host(state, fn, fn.name if told else "")


def _comes_back(state: State, fn: ir.Fn) -> bool:
    """Tell whether a function mentions one that stands no lower than itself: they call each other."""
    root = state.root_of[fn]
    mentioned = summary(state.program, state.program.body[root]).globals
    return any(
        state.ranks[state.defined_at[name]] >= state.ranks[root] for name in mentioned if name in state.defined_at
    )


def _ranks(program: ir.Program) -> list[int]:
    """Return for each form a number that is higher than those of the forms whose names it mentions, rings aside."""
    places = {node.name: place for place, node in enumerate(program.body) if isinstance(node, ir.SetGlobal)}
    inner = [[places[name] for name in summary(program, node).globals if name in places] for node in program.body]
    ranks, found = [-1] * len(inner), 0
    for start in range(len(inner)):
        todo = [(start, False)]
        while todo:
            place, done = todo.pop()
            if done:
                ranks[place], found = found, found + 1
            elif ranks[place] == -1:
                ranks[place] = -2
                todo.append((place, True))
                todo += [(each, False) for each in inner[place]]
    return ranks


def _is_small(node: ir.Fn, seen: Summary) -> bool:
    """Tell whether a function has no functions of its own, and surely does not come back to its beginning."""
    if len(seen.nodes) > MOST_NODES or node.rest is not None or node.frame.loops:
        return False
    return len(seen.by_kind[ir.Fn]) == 1 and not any(isinstance(each, ir.Letrec) for each in everything((node.body,)))


def _entries(state: State) -> dict[str, list[ir.Fn]]:
    """Return the functions that a host may call by name: main, and those that the program itself never mentions."""
    program, defined, mentioned = state.program, dict[str, ir.Node](), set[str]()
    for node in program.body:
        seen = summary(program, node)
        defined.update((each.name, each.value) for each in seen.by_kind.get(ir.SetGlobal, ()))
        own = node.name if isinstance(node, ir.SetGlobal) else ""
        mentioned |= seen.globals - {own}
    found: dict[str, list[ir.Fn]] = {}
    for name, value in defined.items():
        if name == "main" or name not in mentioned:
            inner = value.functions if isinstance(value, ir.Arities) else (value,)
            named = [defined.get(each.name) if isinstance(each, ir.Global) else each for each in inner]
            functions = [each for each in named if isinstance(each, ir.Fn)]
            if len(functions) == len(named) and state.count[name] == 1:
                found[name] = functions
    return found


def _called_by_host(state: State, fn: ir.Fn, function: str) -> None:
    state.host_calls.add(state.unit_of(fn))
    for place, param in enumerate((*fn.params, *([] if fn.rest is None else [fn.rest]))):
        name = param.pattern.var.name if isinstance(param.pattern, ir.PVar) else str(place + 1)
        cell = ("param", fn, place) if place < len(fn.params) else ("rest", fn)
        state.add(cell, state.sources.parameter(function, name))


def _settle(state: State) -> None:
    while state.todo:
        _look(state, state.next())


def _look(state: State, unit: Unit) -> None:
    walk, fn = Walk(state, unit), unit.fn
    if fn is None:
        walk.value(unit.body)
    else:
        args = [state.read(("param", fn, place), unit) for place in range(len(fn.params))]
        rest = None if fn.rest is None else state.read(("rest", fn), unit)
        if args and any(arg is BOTTOM for arg in args):
            return  # nobody calls it yet
        state.add(("result", fn), run_body(walk, fn, args, rest))
    if walk.fails & ~unit.fails or walk.told & ~unit.told:
        unit.fails |= walk.fails
        unit.told |= walk.told
        state.changed(("fails", fn))


def _follow(state: State) -> None:
    """Give each unit what says whether it is called: what its callers have reached, and the forms before it."""
    before = 0
    for unit in state.roots:
        unit.entry |= before
        before |= unit.fails
    for unit in state.host_calls:
        unit.entry |= before
    called: dict[Unit, list[tuple[Unit, int]]] = {}
    for unit in state.units.values():
        for caller, (mask, _) in unit.callers.items():
            called.setdefault(caller, []).append((unit, mask))
    todo = list(called)
    while todo:
        caller = todo.pop()
        for unit, mask in called.get(caller, ()):
            entry = unit.entry | caller.entry | mask
            if entry != unit.entry:
                unit.entry = entry
                todo.append(unit)


def _remember(state: State) -> bool:
    """Let what the run remembers tell that whoever wrote it was called; say whether anything is new."""
    for unit, cells in state.kept_by.items():
        for cell in cells:
            state.add(cell, state.cells.get(cell, BOTTOM).tinted(unit.entry))
    return bool(state.todo)


def _told(state: State, *, remembers: bool, explained: bool) -> Flows:
    masks, changed = dict[str, int](), dict[str, int]()
    for text, site in state.sites.items():
        masks[text], changed[text] = site.arguments, site.changed
        for unit, reached in site.units.items():
            masks[text] |= reached | unit.entry
            changed[text] |= reached | unit.entry
    explain = ways(state) if explained else None
    return Flows(tuple(state.sources.all), masks, tuple(state.entries), explain, changed, remembers=remembers)
