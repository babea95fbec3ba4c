"""Steps: what is told of them is what their bodies give, and why these fail."""

from __future__ import annotations

from rtfs_framework.lang.annotations import TYPE_CHECKING, Callable, Sequence
from rtfs_framework.lang.flows import asking
from rtfs_framework.lang.flows.values import ROWS, Value, bounded, join, lump
from rtfs_framework.lang.ir import nodes as ir

if TYPE_CHECKING:
    from rtfs_framework.lang.flows.walk import Walk
    from rtfs_framework.lang.source import Span

Nodes = Sequence[ir.Node]
_TOLD = 3
"""Arguments of a step before its body: name, exposure, keys."""


def _told(walk: Walk, span: Span, before: int, *values: Value) -> None:
    """Tell the host what was told of a step: values, and errors that were new in it."""
    asking.tell(walk, lump(*values).mask | (walk.told & ~before) | walk.fails, span)


def _step(walk: Walk, args: list[Value], _nodes: Nodes, span: Span) -> Value:
    from rtfs_framework.lang.flows.calls import call_value

    name, told = args[0], walk.told
    walk.may_fail(name.flat()[0], span)
    asking.tell(walk, lump(*args[:_TOLD]).mask, span)
    given = [call_value(walk, args[4], (), span)] if len(args) == 5 and not _is_nil(args[4]) else []
    made = call_value(walk, args[_TOLD], given, span)
    _told(walk, span, told, name, made)
    return made


def _is_nil(value: Value) -> bool:
    return value.functions == ROWS and not value.fields and value.items is None


def _step_loop(walk: Walk, args: list[Value], _nodes: Nodes, span: Span) -> Value:
    from rtfs_framework.lang.flows.calls import call_value

    told, found = walk.told, Value(0, ROWS)
    asking.tell(walk, lump(*args[:2]).mask, span)
    for _ in range(2):  # the second look sees what the first has reached
        test = call_value(walk, args[2], (), span)
        walk.may_fail(test.top, span)
        found = join(found, call_value(walk, args[3], (), span)).tinted(test.top)
    _told(walk, span, told, found)
    return found


def _step_parallel(walk: Walk, args: list[Value], _nodes: Nodes, span: Span) -> Value:
    from rtfs_framework.lang.flows.calls import call_value

    told = walk.told
    asking.tell(walk, lump(*args[:4]).mask, span)
    parts = [call_value(walk, branch, (), span) for branch in args[4:]]
    parts = [join(part, call_value(walk, branch, (), span)) for part, branch in zip(parts, args[4:], strict=True)]
    _told(walk, span, told, *parts)
    return bounded(Value(0, ROWS, 0, {("place", place): part for place, part in enumerate(parts)}))


def _llm_execute(walk: Walk, args: list[Value], _nodes: Nodes, span: Span) -> Value:
    walk.may_fail(lump(*args).mask, span)
    reply = asking.ask(walk, args, span)
    asking.tell(walk, reply.mask, span)
    return reply


STEPS: dict[str, Callable[[Walk, list[Value], Nodes, Span], Value]] = {
    "%step": _step,
    "%step-loop": _step_loop,
    "%step-parallel": _step_parallel,
    "%llm-execute": _llm_execute,
}
