"""A vector that grew is a stack like any other, and no version sees what another did."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rtfs_framework.lang.values import GROW_AT, GrownVector
from rtfs_framework.stdlib.library import BUILTINS


def call(name, *args):
    return BUILTINS[name].function(*args)


@given(st.lists(st.sampled_from(["pop", "push", "rest"]), max_size=30), st.integers(GROW_AT - 3, GROW_AT + 3))
def test_versions_are_apart(moves, size):
    versions = [tuple(range(size))]
    wanted = [list(range(size))]
    for number, move in enumerate(moves):
        stack, model = versions[number // 2], wanted[number // 2]  # older versions are changed as well
        versions.append(call("conj", stack, number) if move == "push" else call(move, stack))
        wanted.append([*model, number] if move == "push" else model[:-1] if move == "pop" else model[1:])
    assert list(map(list, versions)) == wanted
    for version, model in zip(versions, wanted, strict=True):
        assert call("peek", version) == model[-1]
        assert [call("nth", version, place) for place in range(len(model))] == model
        assert call("nth", version, len(model), "none") == call("nth", version, -1, "none") == "none"


def test_a_stack_that_is_short_again_is_a_tuple():
    stack = call("pop", GrownVector(list(range(GROW_AT)), GROW_AT))
    assert stack == tuple(range(GROW_AT - 1))
    assert stack.__class__ is tuple
