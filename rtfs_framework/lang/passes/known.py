"""What may be run in another order, or not at all: nodes that are plain, and those that may ask the host."""

from __future__ import annotations

from rtfs_framework.lang.annotations import Collection, Iterable
from rtfs_framework.lang.check.effects import goes_elsewhere
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.ir.summary import all_of
from rtfs_framework.lang.ir.walk import everything
from rtfs_framework.lang.library import Library
from rtfs_framework.lang.values import Keyword


def is_plain(node: ir.Node) -> bool:
    """Tell whether a node surely ends, asks nobody, and calls nothing but plain functions: it may only fail."""
    return all(map(_plain_part, everything((node,))))


def _plain_part(node: ir.Node) -> bool:
    match node:
        case ir.Call(function=ir.Builtin(entry=entry)):
            return entry is not None and entry.plain
        case ir.Call(function=ir.Const(value=value)):
            return isinstance(value, Keyword)
        case ir.Call() | ir.HostName() | ir.SetGlobal() | ir.Global() | ir.Letrec() | ir.Fn() | ir.Loop() | ir.Recur():
            return False
        case ir.Try() | ir.Hinted() | ir.Each() | ir.Stop() | ir.Push() | ir.Fail():
            return False
        case _:
            return True


_TELLING = frozenset({"%step", "%step-loop", "%step-parallel", "%llm-execute", "%declassify", "%ticket"})
"""Builtins of the analyzer's own that tell or ask the host."""


def asking(program: ir.Program, library: Library) -> frozenset[str]:
    """Return the top-level names whose functions may ask the host, as far as the program shows."""
    readers: dict[str, list[str]] = {}
    todo: list[str] = []
    for node in all_of(program, ir.SetGlobal):
        inside = everything((node.value,))
        todo += [node.name] if _any_asks(inside, (), library) else []
        for read in {part.name for part in inside if isinstance(part, ir.Global)}:
            readers.setdefault(read, []).append(node.name)
    found: set[str] = set()
    while todo:
        name = todo.pop()
        if name not in found:
            found.add(name)
            todo += readers.get(name, ())
    return frozenset(found)


def may_ask(node: ir.Node, asking_names: frozenset[str], library: Library) -> bool:
    """Tell whether running a node may ask the host, as far as the program shows; functions that are values may."""
    nodes = everything((node,))
    given = any(isinstance(each, ir.Call) and isinstance(each.function, ir.Local) for each in nodes)
    return given or _any_asks(nodes, asking_names, library)


def _any_asks(nodes: Iterable[ir.Node], names: Collection[str], library: Library) -> bool:
    for node in nodes:
        match node:
            case ir.Builtin(name=name):
                if name in _TELLING or (name in library and library[name].effect is not None):
                    return True
            case ir.Global(name=name) if name in names:
                return True
            case ir.HostName() | ir.Hinted():
                return True
            case ir.Fn() if goes_elsewhere(node):
                return True
            case _:
                continue
    return False
