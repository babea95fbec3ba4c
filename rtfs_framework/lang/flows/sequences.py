"""Functions that call one for each item of a sequence: items keep their columns, and say whether there is a next."""

from __future__ import annotations

from rtfs_framework.lang.annotations import TYPE_CHECKING, Callable, Sequence
from rtfs_framework.lang.flows.values import ANY_DATA, BOTTOM, DATA, ROWS, Value, bounded, join, lump
from rtfs_framework.lang.ir import nodes as ir

if TYPE_CHECKING:
    from rtfs_framework.lang.flows.walk import Walk
    from rtfs_framework.lang.source import Span

Nodes = Sequence[ir.Node]


def _spine(walk: Walk, sequences: Sequence[Value], span: Span) -> int:
    """Return the sources of how many items there are; what is no sequence is refused."""
    mask = 0
    for each in sequences:
        mask |= walk.sources.shape(each)
    walk.may_fail(mask, span)
    return mask


def _each(walk: Walk, function: Value, args: Sequence[Value], span: Span) -> Value:
    """Call a function for each item: what one call does says whether the next is made, so the second look sees all."""
    from rtfs_framework.lang.flows.calls import call_value

    found = call_value(walk, function, args, span)
    return join(found, call_value(walk, function, args, span))


def _map(walk: Walk, args: list[Value], _nodes: Nodes, span: Span) -> Value:
    mask = _spine(walk, args[1:], span)
    found = _each(walk, args[0], [walk.sources.item_of(each) for each in args[1:]], span)
    return bounded(Value(mask, ROWS, 0, None, found))


def _map_indexed(walk: Walk, args: list[Value], _nodes: Nodes, span: Span) -> Value:
    mask = _spine(walk, args[1:], span)
    found = _each(walk, args[0], [Value(mask), walk.sources.item_of(args[1])], span)
    return bounded(Value(mask, ROWS, 0, None, found))


def _settled(walk: Walk, args: list[Value], nodes: Nodes, span: Span) -> Value:
    found = _map(walk, args, nodes, span)
    return lump(found, Value(walk.told))


def _mapcat(walk: Walk, args: list[Value], nodes: Nodes, span: Span) -> Value:
    rows = _map(walk, args, nodes, span)
    row = rows.items or BOTTOM
    mask = walk.sources.shape(row)
    walk.may_fail(mask, span)
    return bounded(Value(rows.mask | mask, ROWS, 0, None, walk.sources.item_of(row)))


def _for(walk: Walk, args: list[Value], nodes: Nodes, span: Span) -> Value:
    """One level of `for`: each iteration gives a vector, or nil to end it."""
    return _mapcat(walk, args[::-1], nodes, span)


def _dotimes(walk: Walk, args: list[Value], _nodes: Nodes, span: Span) -> Value:
    mask = args[0].flat()[0]
    walk.may_fail(mask, span)
    return join(_each(walk, args[1], [Value(mask)], span), Value(mask, ROWS))


def _kept(walk: Walk, args: list[Value], _nodes: Nodes, span: Span) -> Value:
    """Items of which a function says whether, or where, they stay."""
    mask = _spine(walk, args[-1:], span)
    said = _each(walk, args[0], [walk.sources.item_of(args[-1])], span).flat()[0]
    made = walk.sources.sequence(args[-1])
    data = made.functions & ANY_DATA or DATA
    return Value(made.mask | mask | said, data, made.view, made.fields, made.items)


def _until(walk: Walk, args: list[Value], nodes: Nodes, span: Span) -> Value:
    """The same where the first word of the function ends the asking, or where its words are compared."""
    kept = _kept(walk, args, nodes, span)
    walk.may_fail(kept.mask, span)
    return kept


def _sort_by(walk: Walk, args: list[Value], nodes: Nodes, span: Span) -> Value:
    if len(args) == 2:
        return _until(walk, args, nodes, span)
    kept = _kept(walk, [args[0], args[2]], nodes, span)  # the comparator sees what the function gives
    said = Value(kept.mask)
    order = _each(walk, args[1], [said, said], span)
    walk.may_fail(kept.mask | order.flat()[0], span)
    return kept.tinted(order.flat()[0])


def _keep(walk: Walk, args: list[Value], _nodes: Nodes, span: Span) -> Value:
    mask = _spine(walk, args[1:], span)
    found = _each(walk, args[0], [walk.sources.item_of(args[1])], span)
    return bounded(Value(mask | found.top, ROWS, 0, None, found))


def _some(walk: Walk, args: list[Value], _nodes: Nodes, span: Span) -> Value:
    """The first word of a function that is true: whether there is another call depends on those before."""
    mask = _spine(walk, args[1:], span)
    found = _each(walk, args[0], [walk.sources.item_of(args[1])], span)
    walk.may_fail(found.top, span)
    found = join(found, _each(walk, args[0], [walk.sources.item_of(args[1])], span))
    return join(found, Value(mask, ROWS)).tinted(mask | found.top)


def _whether(walk: Walk, args: list[Value], nodes: Nodes, span: Span) -> Value:
    return Value(_some(walk, args, nodes, span).top)


def _grouped(walk: Walk, args: list[Value], nodes: Nodes, span: Span) -> Value:
    kept = _kept(walk, args, nodes, span)
    walk.may_fail(kept.mask, span)
    return lump(kept)


def _reduce(walk: Walk, args: list[Value], _nodes: Nodes, span: Span) -> Value:
    from rtfs_framework.lang.flows.calls import call_value
    from rtfs_framework.lang.flows.walk import MOST_ROUNDS, GivenUpError

    items = args[-1]
    mask = _spine(walk, [items], span)
    item = walk.sources.item_of(items)
    made = args[1] if len(args) == 3 else join(item, call_value(walk, args[0], (), span))
    for _ in range(MOST_ROUNDS):
        before = made, walk.reached
        made = join(made, call_value(walk, args[0], [made, item], span))
        if walk.state.reduces:  # whether it is over may stand in what it holds
            walk.may_fail(made.top, span)
        if made is before[0] and walk.reached == before[1]:
            return made.tinted(mask)
    raise GivenUpError


OVER_SEQUENCES: dict[str, Callable[[Walk, list[Value], Nodes, Span], Value]] = {
    **dict.fromkeys(("map", "mapv", "pmap"), _map),
    **dict.fromkeys(("filter", "filterv", "remove"), _kept),
    **dict.fromkeys(("take-while", "drop-while", "distinct-by"), _until),
    **dict.fromkeys(("every?", "not-every?", "not-any?", "some?"), _whether),
    **dict.fromkeys(("group-by", "index-by", "count-by", "partition-by", "split-with"), _grouped),
    "map-indexed": _map_indexed, "pmap-settled": _settled, "mapcat": _mapcat, "%for": _for, "%dotimes": _dotimes,
    "sort-by": _sort_by, "keep": _keep, "some": _some, "reduce": _reduce,
}  # fmt: skip
