"""What of a program a function needs, and whether it asks its host for anything.

A program asks nothing when it names nothing that asks: no library function with an effect, no name that only a host
could know, no hints, no function whose calls may go elsewhere. That is seen at a glance and needs no trust in anything
that a program says of itself.
"""

from __future__ import annotations

from rtfs_framework.lang import records
from rtfs_framework.lang.annotations import Collection, Iterator
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.ir.summary import summary
from rtfs_framework.lang.ir.walk import everything, parts, rewrite
from rtfs_framework.lang.library import Library
from rtfs_framework.lang.published.rows import PublishedError
from rtfs_framework.lang.published.summing import program_of


def needed(program: ir.Program, name: str) -> ir.Program:
    """Return the part of a program that a top-level function needs: all that sets a name which it reads, and so on.

    Raises:
        PublishedError: the program defines no function of that name, or gives the name another value too.
    """
    setting: dict[str, list[ir.Node]] = {}
    for node in program.body:
        for each in summary(program, node).sets:
            setting.setdefault(each, []).append(node)
    if name not in setting:
        raise PublishedError(f"there is no top-level function {name}")
    if name not in program.functions or len(setting[name]) > 1:
        raise PublishedError(f"{name} is not defined once, as a function")
    todo, taken, seen = [name], set[ir.Node](), {name}
    while todo:
        for node in setting.get(todo.pop(), ()):
            if node in taken:
                continue
            taken.add(node)
            found = summary(program, node)
            hosts = {each.name for each in found.by_kind.get(ir.HostName, ())}
            new = ({*found.globals, *found.sets, *hosts}) - seen
            seen |= new
            todo += sorted(new)
    body = tuple(node for node in program.body if node in taken)
    return program_of(body, program.types or {})


def at_home(program: ir.Program, name: str) -> ir.Program:
    """Return a program in which calls of one function stay in the kernel: what is published is its own body."""

    def change(fn: ir.Fn) -> ir.Fn:
        if not fn.linked or fn.signature.name != name:
            return fn
        told = records.evolve(fn.signature, hint=None, body_digest="")
        return records.evolve(fn, linked=False, signature=told)

    return program_of([rewrite(node, change) for node in program.body], program.types or {})


def asking(program: ir.Program, library: Library, internal: Collection[str]) -> Iterator[tuple[str, ir.Node]]:
    """Yield what a program names that may ask its host, with the node; nothing of one that asks nothing.

    `internal` are the names of those functions of lowered forms that ask.
    """
    for node in everything(program.body):
        match node:
            case ir.Global(name=name) | ir.SetGlobal(name=name) if name in library and library[name].effect is not None:
                yield f"{name} asks the host", node
            case ir.HostName(name=name) if name not in program.defined:
                yield f"{name} is a name that only a host could know", node
            case ir.Hinted():
                yield "execution hints are for the host", node
            case ir.Fn(linked=True):
                yield f"calls of {node.signature.name} may go to a model", node
            case ir.Builtin(name=name):
                entry = node.entry or library.get(name)
                if name in internal or (entry is not None and entry.effect is not None):
                    yield f"{name} asks the host", node
            case _:
                pass


def sets_later(program: ir.Program) -> bool:
    """Tell whether a function sets a top-level name, which no program of an analyzer's does that asks nothing.

    A loaded program serves many runs: one that sets a name when it is called would hand what a run gave it to others.
    """
    todo, at_once = [*program.body], 0
    while todo:
        node = todo.pop()
        at_once += isinstance(node, ir.SetGlobal)
        todo += () if isinstance(node, ir.Fn) else parts(node)
    return at_once != sum(isinstance(node, ir.SetGlobal) for node in everything(program.body))
