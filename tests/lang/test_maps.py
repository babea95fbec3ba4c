"""A map is one thing in two shapes: whatever its keys are, a large one (a trie) answers as a small one (a dict)."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rtfs_framework.lang.equality import equal
from rtfs_framework.lang.maps import EMPTY_MAP, Map, Set
from rtfs_framework.lang.values import Keyword, Symbol
from rtfs_framework.testing.effort import effort

EDGES = [
    sign * (2**power + more) for power in (29, 30, 31, 32, 62, 63, 64, 80) for sign in (1, -1) for more in (-1, 0, 1)
]
ATOMS = st.one_of(
    st.sampled_from([None, True, False, 0.0, -0.0, 1.0, "", "1", Keyword("1"), Symbol("1"), 2.0**63, 1e300]),
    st.sampled_from(EDGES),
    st.integers(-40, 40),
    st.integers(-(2**90), 2**90),
)
KEYS = ATOMS | st.tuples(ATOMS, ATOMS) | st.builds(lambda k, v: Map.of([(k, v)]), ATOMS, ATOMS)


@given(st.lists(st.tuples(KEYS, st.integers()), max_size=120), st.lists(KEYS, max_size=10))
@settings(max_examples=effort(150))
def test_a_map_made_entry_by_entry_is_the_map_made_at_once(pairs, others):
    large = Map.of([(i, i) for i in range(1000, 1060)])  # a trie from its first change on
    for start in (EMPTY_MAP, large):
        grown = start
        for key, value in pairs:
            grown = grown.assoc(key, value)
        made = Map.of([*start.items(), *pairs])
        assert equal(grown, made)
        assert [(key, value) for key, value in grown.items()] == made.items()
        for key in [*others, *(key for key, _ in pairs[:20])]:
            assert (key in grown, grown.get(key, "none")) == (key in made, made.get(key, "none"))
            assert equal(grown.dissoc(key), made.dissoc(key))
        assert equal(Set.of(grown.keys()), Set.of(made.keys()))


@pytest.mark.parametrize("key", EDGES)
@pytest.mark.parametrize("size", [0, 1, 30, 200])
def test_integers_of_any_size_are_keys_of_maps_of_any_size(key, size):
    start = Map.of([(i, i) for i in range(size)])
    grown = start.assoc(key, "x").assoc("more", 1).assoc(key, "y")
    assert (grown.get(key), key in grown, len(grown)) == ("y", True, size + 2)
    assert equal(grown.dissoc(key).dissoc("more"), start)


@given(st.lists(st.tuples(st.sampled_from(["first", "out", "in", "old"]), st.integers(0, 60)), max_size=150))
@settings(max_examples=effort(150))
def test_the_first_entry_is_that_of_the_dict_in_every_version(moves):
    versions, models = [Map.of([(i, i) for i in range(40)])], [dict.fromkeys(range(40))]
    for move, number in moves:
        value, model = versions[-1], dict(models[-1])
        if move == "old":  # go on from an older version
            value, model = versions[number % len(versions)], dict(models[number % len(models)])
        elif move == "in":
            value = value.assoc(number, number)
            model.setdefault(number)
        else:
            key = next(iter(model), None) if move == "first" else number
            value = value.dissoc(key)
            model.pop(key, None)
        assert (value.first()[0] if len(value) else None) == next(iter(model), None)
        versions.append(value)
        models.append(model)
    assert [value.keys() for value in versions] == list(map(list, models))


@given(st.lists(KEYS, max_size=40), st.lists(KEYS, max_size=40), st.sampled_from([0, 100]))
@settings(max_examples=effort(100))
def test_sets_joined_and_parted_are_those_made_member_by_member(first, second, more):
    """In order, however much larger one is than the other."""
    a, b = Set.of([*first, *range(1000, 1000 + more)]), Set.of(second)
    assert list(a.with_all(b)) == list(Set.of([*a, *b]))
    assert list(a.without_all(b)) == list(a.without_all(tuple(b))) == [each for each in a if each not in b]
    assert list(b.without_all(a)) == [each for each in b if each not in a]
