"""IR nodes that only passes make: bodies where they are called, loops over items, collections that grow in place."""

from __future__ import annotations

from rtfs_framework.lang import records
from rtfs_framework.lang.annotations import TYPE_CHECKING
from rtfs_framework.lang.source import Span

if TYPE_CHECKING:
    from rtfs_framework.lang.ir.nodes import Node, Var


__all__ = ["Each", "Freeze", "Fresh", "Grow", "Inlined", "Look", "Made", "Push", "Stop"]


@records.frozen(eq=False)
class Inlined:
    """The body of a function where it is called; stacks show it as the frame that it would have been."""

    name: str
    body: Node
    span: Span
    """Where the call stands."""


@records.frozen(eq=False)
class Each:
    """The items of a sequence in order.

    With `acc`, the body's value is what `acc` holds in the next iteration, and after the last one the result; it holds
    nothing before the first item when there is no `init` (`Look` asks for that: `begun?`). Without, the result is the
    vector of what the body has `Push`ed.
    """

    op: str
    """The library function that refuses what is no sequence."""
    item: Var
    source: Node
    acc: Var | None
    init: Node | None
    none: Node | None
    """The result when `acc` never held anything; None: that is an error."""
    body: Node
    alike: bool
    """Whether the result has the kind of the source (text, a list) and is not always a vector."""
    plain: Node | None
    """The same over `again`, step by step: run when the loop fails, for the steps would have failed in their order."""
    again: Var | None
    span: Span


@records.frozen(eq=False)
class Push:
    """Adds to the vector of the innermost `Each`; gives nil."""

    value: Node
    span: Span


@records.frozen(eq=False)
class Stop:
    """Ends the innermost `Each`, whose result is the value."""

    value: Node
    span: Span


@records.frozen(eq=False)
class Fresh:
    """A copy of a vector or map that nobody else has: the loop variable that holds it may change it in place."""

    value: Node
    is_map: bool
    span: Span


@records.frozen(eq=False)
class Grow:
    """Changes what a variable holds in place and gives the variable.

    A map's keys are set to values. A vector loses its last items (`drops`; there are so many) and gets further ones, or
    (`put`) has an index set to a value.
    """

    var: Var
    parts: tuple[Node, ...]
    is_map: bool
    span: Span
    drops: int = 0
    put: bool = False
    late: bool = False
    """Whether the change itself waits until all that the iteration passes on is computed."""


@records.frozen(eq=False)
class Look:
    """A question to what a variable holds, by a library function that keeps nothing of it.

    `pop` with a number n asks whether n items can be popped, and fails if not; `peek` may have the number of items that
    would have been popped before, and whether there surely is one left.
    """

    op: str
    var: Var
    args: tuple[Node, ...]
    is_map: bool
    span: Span


@records.frozen(eq=False)
class Freeze:
    """Makes what a variable holds a value that anybody may have; gives nil."""

    var: Var
    is_map: bool
    span: Span


Made = Inlined | Each | Push | Stop | Fresh | Grow | Look | Freeze
