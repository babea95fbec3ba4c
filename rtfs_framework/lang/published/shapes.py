"""What holds of every program that an analyzer makes, and that the verifier of passes takes for granted.

In: a decoded program. Out: nothing, or a PublishedError. Functions that only lowered forms call are called as these
forms do; an `Arities` chooses among functions of the program's own; top-level names that are read are set somewhere.
"""

from __future__ import annotations

from rtfs_framework.lang.annotations import Any, Callable, Iterator, Mapping
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.ir.declassified import DECLASSIFY
from rtfs_framework.lang.ir.ticketed import TICKET
from rtfs_framework.lang.ir.walk import everything
from rtfs_framework.lang.library import Library
from rtfs_framework.lang.published.rows import PublishedError
from rtfs_framework.lang.types.model import MapType

_PAIR = 2


def _of_one(args: tuple[Any, ...]) -> bool:
    return len(args) == _PAIR and isinstance(args[1], ir.Fn) and args[1].shape == (1, 1)


def _struct(args: tuple[Any, ...]) -> bool:
    held = [each.value for each in args if isinstance(each, ir.Const)]
    return len(args) == len(held) == _PAIR and isinstance(held[0], str) and isinstance(held[1], MapType)


def _any(_args: tuple[Any, ...]) -> bool:
    return True


LOWERED: Mapping[str, Callable[[tuple[Any, ...]], bool]] = {
    "%for": _of_one,
    "%dotimes": _of_one,
    "%struct": _struct,
    **dict.fromkeys(("%list", "%vector", "%map"), _any),
    **dict.fromkeys(("%step", "%step-loop", "%step-parallel", "%llm-execute", DECLASSIFY, TICKET), _any),
}
"""Functions that only lowered forms call, and which arguments these give them; those that ask are refused elsewhere."""


def shaped(program: ir.Program, library: Library) -> None:
    """Look at what an analyzer guarantees.

    Raises:
        PublishedError: no analyzer made this.
    """
    nodes = everything(program.body)
    called = {id(node.function) for node in nodes if isinstance(node, ir.Call)}
    letrec = {var for node in nodes if isinstance(node, ir.Letrec) for var, _ in node.bindings}
    for why in _wrong(nodes, called, letrec, program, library):
        raise PublishedError(why)


def _wrong(
    nodes: list[ir.Node], called: set[int], letrec: set[ir.Var], program: ir.Program, library: Library
) -> Iterator[str]:
    own = program.functions - library.keys()
    for node in nodes:
        match node:
            case ir.Builtin(name=name) if name in LOWERED and id(node) not in called:
                yield f"{name} is no value"
            case ir.Call(function=ir.Builtin(name=name), args=args) if name in LOWERED and not LOWERED[name](args):
                yield f"{name} is not called so"
            case ir.Arities(functions=functions):
                if not functions or not all(_is_own(each, own, letrec) for each in functions):
                    yield "arities that are no functions of the program"
            case ir.Global(name=name) if name not in program.defined:
                yield f"{name} is set nowhere"
            case _:
                pass


def _is_own(node: ir.Node, own: frozenset[str], letrec: set[ir.Var]) -> bool:
    match node:
        case ir.Global(name=name):
            return name in own
        case ir.Local(var=var):
            return var in letrec
        case _:
            return False
