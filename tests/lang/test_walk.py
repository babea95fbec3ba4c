"""Walking the IR: every kind of node has its shape, and what does not change stays the same object."""

from __future__ import annotations

from typing import get_args

import attrs

from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.ir.walk import SHAPES, parts, rebuild
from rtfs_framework.lang.source import Span

SPAN = Span(0, 1)
ONE, TWO = ir.Const(1, SPAN), ir.Const(2, SPAN)
_HOLDS_NODES = ("Node", "Pattern", "Param", "Clause", "Catch", "Fn")
"""Words of the annotations of fields that have nodes in them."""


def test_every_kind_of_node_has_a_shape() -> None:
    assert set(SHAPES) == set(get_args(ir.Node))


def test_every_field_that_holds_nodes_is_in_the_shape() -> None:
    for kind, shape in SHAPES.items():
        words = {field.name: str(field.type).replace("FunctionFrame", "") for field in attrs.fields(kind)}
        holding = [name for name, text in words.items() if any(word in text for word in _HOLDS_NODES)]
        assert {name for name, _ in shape} == {*holding} - {"signature"}, kind


def test_a_node_of_which_no_part_changes_is_not_made_again() -> None:
    literal = ir.PMap((ir.PMapEntry("k", ir.PIgnore(), ONE),), None, None, SPAN)
    clause = ir.Clause(literal, TWO, ONE)
    node = ir.Do((ir.Match(ONE, (clause,), SPAN), ir.MapNode((("k", TWO),), SPAN)), SPAN)
    assert rebuild(node, lambda part: rebuild(part, lambda inner: inner)) is node


def test_a_changed_part_is_put_in_its_place_and_the_others_are_shared() -> None:
    default = ir.PMap((ir.PMapEntry("k", ir.PIgnore(), ONE),), None, None, SPAN)
    node = ir.Bind(default, TWO, None, SPAN)
    made = rebuild(node, lambda part: TWO if part is ONE else part)
    assert isinstance(made, ir.Bind)
    assert made is not node
    assert made.value is TWO
    assert parts(made) == [TWO, TWO]
    assert parts(node) == [TWO, ONE]


def test_parts_come_in_the_order_in_which_they_run() -> None:
    first, second, third = (ir.Const(number, SPAN) for number in range(3))
    catch = ir.Catch(None, (), second)
    assert parts(ir.Try(first, (catch,), third, SPAN)) == [first, second, third]
    seen: list[ir.Node] = []
    rebuild(ir.Try(first, (catch,), third, SPAN), lambda part: seen.append(part) or part)  # type: ignore[func-returns-value]
    assert seen == [first, second, third]
