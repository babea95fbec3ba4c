"""A program of its nodes: what it defines, which names only ever hold functions, and their signatures, found out."""

from __future__ import annotations

from rtfs_framework.lang import records
from rtfs_framework.lang.annotations import Mapping, Sequence
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.ir.walk import everything
from rtfs_framework.lang.signature import FunctionSignature
from rtfs_framework.lang.types.model import Type


def program_of(nodes: Sequence[ir.Node], types: Mapping[str, Type]) -> ir.Program:
    """Return the program that top-level nodes make."""
    body = tuple(nodes)
    sets = [node for node in everything(body) if isinstance(node, ir.SetGlobal)]
    defined = frozenset([node.name for node in sets])
    valued = {node.name for node in sets if not _is_function(node.value)}
    return ir.Program(body, defined, defined - valued, _signatures(sets), types=dict(types))


def _is_function(node: ir.Node) -> bool:
    match node:
        case ir.Fn() | ir.Arities() | ir.Do(items=(*_, ir.Arities())):
            return True
        case _:
            return False


def _signatures(sets: Sequence[ir.SetGlobal]) -> tuple[FunctionSignature, ...]:
    """Return the signatures of top-level functions, one for each; those of arities are part of their function's."""
    arities = {node.name: node.value.signature for node in sets if isinstance(node.value, ir.Fn)}
    made: list[FunctionSignature] = []
    parts: set[str] = set()
    for node in sets:
        value = node.value.items[-1] if isinstance(node.value, ir.Do) and node.value.items else node.value
        if isinstance(value, ir.Arities):
            names = [each.name for each in value.functions if isinstance(each, ir.Global) and each.name in arities]
            parts.update(names)
            own = tuple([records.evolve(arities[name], name=node.name) for name in names])
            if own:
                longest = max(own, key=lambda each: len(each.parameters))
                made.append(records.evolve(longest, arities=own))
    return (*(signature for name, signature in arities.items() if name not in parts), *made)
