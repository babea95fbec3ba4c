"""Mutual tail calls in constant space: functions that call each other in tail position become one loop.

In: a program. Out: the program with those calls rewritten to `Recur` of the target's frame, and `groups` naming the
functions that codegen must emit as one Python function. Groups are the strongly connected components (Tarjan 1972) of
the tail-call graph, among functions of one `letrec` and among top-level functions that are defined once, have a fixed
number of parameters, are not linked, and capture nothing.
"""

from __future__ import annotations

from rtfs_framework.lang import records
from rtfs_framework.lang.annotations import Iterator, Mapping
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.ir.summary import all_of, read, settings
from rtfs_framework.lang.ir.walk import everything, rewrite
from rtfs_framework.lang.library import Library
from rtfs_framework.lang.types.subtypes import is_same

Key = str | ir.Var
"""What a call names: a top-level function or a local variable."""


def merge_tail_calls(program: ir.Program, _library: Library) -> ir.Program:
    """Return the program with mutual tail calls as jumps."""
    candidates = _candidates(program)
    if len(candidates) < 2:
        return program
    homes = _homes(program)
    edges = {
        key: [k for k in _targets(fn, candidates) if homes.get(k) is homes.get(key)] for key, fn in candidates.items()
    }
    groups = [group for group in _components(edges) if len(group) > 1]
    if not groups:
        return program
    jumps: dict[ir.FunctionFrame, Mapping[Key, ir.Fn]] = {}
    for group in groups:
        members = {key: candidates[key] for key in group}
        jumps.update({fn.frame: members for fn in members.values()})
    _mark_looped(program, jumps)
    body = tuple(rewrite(node, lambda fn: _jumping(fn, jumps)) for node in program.body)
    rewritten = {n.frame: n for n in everything(body) if isinstance(n, ir.Fn)}
    made = tuple(tuple(rewritten[candidates[key].frame] for key in group) for group in groups)
    return records.evolve(program, body=body, groups=made)


def _candidates(program: ir.Program) -> dict[Key, ir.Fn]:
    found: dict[Key, ir.Fn] = {}
    count, named = settings(program), read(program)
    for node in all_of(program, ir.SetGlobal):
        fn = node.value
        once = count[node.name] == 1 and node.name in named and node.name in program.functions
        if once and isinstance(fn, ir.Fn) and not fn.captures and _plain(fn):
            found[node.name] = fn
    for each in all_of(program, ir.Letrec):
        found.update({var: fn for var, fn in each.bindings if _plain(fn)})
    return found


def _homes(program: ir.Program) -> dict[Key, ir.Node]:
    """Return the letrec that binds each local function: only functions of one letrec may share a loop."""
    return {var: node for node in all_of(program, ir.Letrec) for var, _ in node.bindings}


def _plain(fn: ir.Fn) -> bool:
    return fn.rest is None and not fn.linked


def tail_calls(node: ir.Node) -> Iterator[ir.Call]:
    """Yield the calls in tail position, those inside loops left out: they would go round the wrong loop."""
    match node:
        case ir.Call():
            yield node
        case ir.Do(items=items) | ir.And(items=items) | ir.Or(items=items):
            if items:
                yield from tail_calls(items[-1])
        case ir.Inlined(body=body):
            yield from tail_calls(body)
        case ir.If():
            yield from tail_calls(node.then)
            yield from tail_calls(node.otherwise)
        case ir.Match():
            for clause in node.clauses:
                yield from tail_calls(clause.body)
        case _:
            return


def _key(call: ir.Call) -> Key | None:
    if isinstance(call.function, ir.Global):
        return call.function.name
    return call.function.var if isinstance(call.function, ir.Local) else None


def _fits(fn: ir.Fn, call: ir.Call, target: ir.Fn) -> bool:
    """A jump must pass as many arguments as the target takes, and must not skip a check of the result."""
    return len(call.args) == len(target.params) and (fn.returns is None or is_same(fn.returns, target.returns))


def _targets(fn: ir.Fn, candidates: Mapping[Key, ir.Fn]) -> Iterator[Key]:
    for call in tail_calls(fn.body):
        key = _key(call)
        if key is not None and key in candidates and _fits(fn, call, candidates[key]):
            yield key


def _components(edges: Mapping[Key, list[Key]]) -> list[list[Key]]:
    """Return the strongly connected components, without recursion (Tarjan's algorithm with an explicit stack)."""
    order: dict[Key, int] = {}
    low: dict[Key, int] = {}
    stack: list[Key] = []
    waiting: set[Key] = set()
    found: list[list[Key]] = []
    for root in edges:
        if root in order:
            continue
        work = [(root, iter(edges[root]))]
        order[root] = low[root] = len(order)
        stack.append(root)
        waiting.add(root)
        while work:
            key, successors = work[-1]
            following = next(successors, None)
            if following is None:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[key])
                if low[key] == order[key]:
                    found.append(_pop_component(stack, waiting, key))
            elif following not in order:
                order[following] = low[following] = len(order)
                stack.append(following)
                waiting.add(following)
                work.append((following, iter(edges[following])))
            elif following in waiting:
                low[key] = min(low[key], order[following])
    return found


def _pop_component(stack: list[Key], waiting: set[Key], root: Key) -> list[Key]:
    at = stack.index(root)
    component = stack[at:]
    del stack[at:]
    waiting.difference_update(component)
    return component


def _mark_looped(program: ir.Program, jumps: Mapping[ir.FunctionFrame, object]) -> None:
    """Closures over variables of a group must capture values: the group is a loop."""
    for fn in all_of(program, ir.Fn):
        for var in fn.captures:
            if var.owner in jumps:
                var.looped = True


def _jumping(fn: ir.Fn, jumps: Mapping[ir.FunctionFrame, Mapping[Key, ir.Fn]]) -> ir.Fn:
    members = jumps.get(fn.frame)
    return fn if members is None else records.evolve(fn, body=_jump(fn, fn.body, members))


def _jump(fn: ir.Fn, node: ir.Node, members: Mapping[Key, ir.Fn]) -> ir.Node:
    """Return a tail position with calls of the group as jumps."""
    match node:
        case ir.Call():
            key = _key(node)
            target = members.get(key) if key is not None else None
            if target is None or not _fits(fn, node, target):
                return node
            return ir.Recur(node.args, target.frame, node.span)
        case ir.Do(items=items) | ir.And(items=items) | ir.Or(items=items) if items:
            return records.evolve(node, items=(*items[:-1], _jump(fn, items[-1], members)))
        case ir.Inlined(body=body):
            return records.evolve(node, body=_jump(fn, body, members))
        case ir.If():
            then, other = _jump(fn, node.then, members), _jump(fn, node.otherwise, members)
            return records.evolve(node, then=then, otherwise=other)
        case ir.Match():
            clauses = tuple(records.evolve(c, body=_jump(fn, c.body, members)) for c in node.clauses)
            return records.evolve(node, clauses=clauses)
        case _:
            return node
