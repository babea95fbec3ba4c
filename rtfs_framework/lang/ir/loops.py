"""IR nodes that only passes make: bodies of functions where they are called, and loops over the items of a sequence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from rtfs_framework.lang.source import Span

if TYPE_CHECKING:
    from rtfs_framework.lang.ir.nodes import Node, Var


@attrs.frozen(slots=True, eq=False)
class Inlined:
    """The body of a function where it is called; stacks show it as the frame that it would have been."""

    name: str
    body: Node
    span: Span
    """Where the call stands."""


@attrs.frozen(slots=True, eq=False)
class Each:
    """The items of a sequence in order.

    With `acc`, the body's value is what `acc` holds in the next round, and after the last one the result. Without, the
    result is the vector of what the body has `Push`ed.
    """

    op: str
    """The library function that refuses what is no sequence."""
    item: Var
    source: Node
    acc: Var | None
    init: Node | None
    body: Node
    alike: bool
    """Whether the result has the kind of the source (text, a list) and is not always a vector."""
    plain: Node | None
    """The same over `again`, step by step: run when the loop fails, for the steps would have failed in their order."""
    again: Var | None
    span: Span


@attrs.frozen(slots=True, eq=False)
class Push:
    """Adds to the vector of the innermost `Each`; gives nil."""

    value: Node
    span: Span


@attrs.frozen(slots=True, eq=False)
class Stop:
    """Ends the innermost `Each`, whose result is the value."""

    value: Node
    span: Span
