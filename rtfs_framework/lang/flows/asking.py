"""What leaves the program: requests, what they depend on, and what comes back."""

from __future__ import annotations

from rtfs_framework.lang.annotations import TYPE_CHECKING, Sequence
from rtfs_framework.lang.flows.model import Context, ReplyOf
from rtfs_framework.lang.flows.values import ANY_DATA, BOTTOM, ROWS, Value, bits, changed, join, lump
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.values import Keyword, Symbol

if TYPE_CHECKING:
    from rtfs_framework.lang.flows.walk import Walk
    from rtfs_framework.lang.source import Span

_ANY_KEY = ("context", None)


def keep(walk: Walk, cell: tuple[str, ...] | tuple[str, str | None], value: Value) -> None:
    """Add to what a run remembers; that it is there tells that this was reached."""
    walk.state.kept_by.setdefault(walk.unit, set()).add(cell)
    walk.state.add(cell, value.tinted(walk.reached | walk.around))


def told_by(walk: Walk, value: Value) -> int:
    """Return all that whoever gets a value can learn: what the functions in it have captured, too."""
    mask, functions = value.flat()
    done: set[ir.Fn] = set()
    todo = functions
    while todo:
        number = todo.bit_length() - 1
        todo ^= 1 << number
        what = walk.state.callable(number).what if 1 << number > ANY_DATA else None
        if isinstance(what, ir.Fn) and what not in done:
            done.add(what)
            for var in what.captures:
                inner = walk.look_up(var).flat()
                mask, todo = mask | inner[0], todo | inner[1]
    return mask


def _whole(walk: Walk, args: Sequence[Value]) -> int:
    """Return the sources that arguments hold as they were given, and in no other way."""
    held, functions = lump(*args).flat()
    captured = 0 if not functions & ~ANY_DATA else told_by(walk, Value(0, functions))
    return held & ~(changed(args) | captured | walk.sources.items(held))


def ask(walk: Walk, args: Sequence[Value], span: Span, more: int = 0) -> Value:
    """A request at a place; its answer depends on the host, and on what the host was told."""
    given = lump(*args)
    mask = told_by(walk, given) | more
    reached = walk.reached | walk.around
    site = walk.state.site(span, walk.unit, mask | walk.around, reached, _whole(walk, args) & ~(more | walk.around))
    reply = walk.sources.bit(ReplyOf(site))
    hand_over(walk, given, Value(mask | reply), span)
    walk.may_fail(mask | reply, span)
    return Value(mask | reply)


def hand_over(walk: Walk, given: Value, fed: Value, span: Span) -> Value:
    """Let whoever has got a value call the functions in it, with anything it has; return what they give."""
    from rtfs_framework.lang.flows.calls import call_anyhow

    found = BOTTOM
    for number in bits(given.flat()[1] & ~ANY_DATA):
        found = join(found, call_anyhow(walk, number, fed, span))
    return found


def tell(walk: Walk, mask: int, span: Span) -> None:
    """A notification: no answer, but it may be refused."""
    walk.state.site(span, walk.unit, mask | walk.around, walk.reached | walk.around)
    walk.may_fail(0, span)


def _name(node: ir.Node | None) -> str | None:
    value = node.value if isinstance(node, ir.Const) else None
    return value.name if isinstance(value, Keyword | Symbol) else value if value.__class__ is str else None


def context_value(walk: Walk, name: str | None) -> Value:
    """Return what the host's context may hold under a name: its own value, or one that the program has set."""
    state = walk.state
    if name is None:
        found = state.read(("every context",), walk.unit)
    else:
        found = join(state.read(("context", name), walk.unit), state.read(_ANY_KEY, walk.unit))
    return join(Value(walk.sources.bit(Context(name or ""))), found)


def context_get(walk: Walk, args: Sequence[Value], nodes: Sequence[ir.Node], span: Span) -> Value:
    """`(context/get :k)`: what it gives depends on whether, and under what, the name was set."""
    name = _name(nodes[0]) if nodes else None
    mask = lump(*args).flat()[0]
    walk.state.site(span, walk.unit, mask | walk.around, walk.reached | walk.around)
    found = lump(context_value(walk, name), *args)
    walk.may_fail(found.mask, span)
    return found


def context_set(walk: Walk, args: Sequence[Value], nodes: Sequence[ir.Node], span: Span) -> Value:
    """`(context/set :k v)`: the name keeps what the value, and whether it is set, depend on within the program."""
    given = lump(*args)
    mask = told_by(walk, given)
    name = _name(nodes[0]) if nodes else None
    keep(walk, ("context", name), Value(mask, given.functions))
    keep(walk, ("every context",), Value(mask, given.functions))
    tell(walk, mask, span)
    hand_over(walk, given, Value(mask), span)
    return Value(0, ROWS)
