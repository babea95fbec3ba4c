"""The passes, in the order in which they run. `optimise` is the only entry; any set of them may be left out.

A program means the same with every set. `mutual` is a lowering besides: the language promises mutual tail calls in
constant space, so only tests leave it out. `numbers`, `match` and `shortcuts` have no IR of their own: codegen
asks them while it makes code.
"""

from __future__ import annotations

from rtfs_framework.lang import records
from rtfs_framework.lang.annotations import Callable, Iterable
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.ir.verify import verify
from rtfs_framework.lang.library import Library
from rtfs_framework.lang.passes.arities import settle_arities
from rtfs_framework.lang.passes.casts import drop_casts
from rtfs_framework.lang.passes.fold import fold
from rtfs_framework.lang.passes.fuse import fuse
from rtfs_framework.lang.passes.in_place import update_in_place
from rtfs_framework.lang.passes.inline import inline
from rtfs_framework.lang.passes.mutual import merge_tail_calls


@records.frozen()
class Pass:
    """One pass. `run` is None where codegen does the work."""

    name: str
    doc: str
    run: Callable[[ir.Program, Library], ir.Program] | None


PASSES = (
    Pass("arities", "Let calls of functions of several arities go straight to the arity they mean.", settle_arities),
    Pass("inline", "Put small functions where they are called, and lambdas that are called at once.", inline),
    Pass(
        "casts",
        "Leave checks of declared types out where the value surely fits; the others are class tests.",
        drop_casts,
    ),
    Pass("fold", "Compute calls of pure library functions on constants; take the branch that is known.", fold),
    Pass("fuse", "Turn map, filter, reduce and their kin over known functions into one loop.", fuse),
    Pass("in_place", "Change what a loop builds, and nobody else sees yet, in place.", update_in_place),
    Pass("mutual", "Make mutual tail calls jumps (a lowering: they must not use the stack).", merge_tail_calls),
    Pass("numbers", "Leave class tests out where kinds are known; functions are compiled again, loops count.", None),
    Pass("match", "Compile match to a decision tree: nothing is asked twice of a value.", None),
    Pass("shortcuts", "Do common library calls inline where a class test settles them; measure vectors once.", None),
)
ALL = frozenset(each.name for each in PASSES)


def selected(names: Iterable[str]) -> frozenset[str]:
    """Return a set of passes.

    Raises:
        ValueError: there is no such pass.
    """
    found = frozenset(names)
    unknown = sorted(found - ALL)
    if unknown:
        message = f"no such pass: {', '.join(unknown)} (there are {', '.join(each.name for each in PASSES)})"
        raise ValueError(message)
    return found


def optimise(
    program: ir.Program, library: Library, names: frozenset[str] = ALL, *, verified: bool = False
) -> ir.Program:
    """Return the program after some passes; `verified` looks for broken invariants after each.

    Raises:
        InternalError: a pass broke an invariant of the IR.
    """
    for each in PASSES:
        if each.run is not None and each.name in names:
            program = each.run(program, library)
            if verified:
                verify(program, each.name)
    return program
