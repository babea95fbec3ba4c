"""Functions over functions: what they make, what they refuse, and the laws between them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtfs_framework.lang.errors import ProgramError
from rtfs_framework.lang.maps import EMPTY_MAP, Map, Set
from rtfs_framework.lang.printer import write
from rtfs_framework.lang.values import Keyword, type_name
from rtfs_framework.lang.vectors import GrownVector, List
from rtfs_framework.stdlib.library import BUILTINS

INTS = st.lists(st.integers(), max_size=20).map(tuple)


def call(name, *args):
    return BUILTINS[name].function(*args)


def refusal(name, *args):
    with pytest.raises(ProgramError) as caught:
        call(name, *args)
    return f"{caught.value.kind}: {caught.value.message}"


def even(n):
    return n % 2 == 0


def size(text):
    return len(text)


def add(a, b):
    return a + b


ON = Keyword("on")
ONE_ARGUMENT = [
    *("map", "mapv", "mapcat", "filter", "filterv", "remove", "every?", "some?", "some", "not-any?", "not-every?"),
    *("keep", "take-while", "drop-while", "split-with", "partition-by", "group-by", "index-by", "count-by"),
    *("distinct-by", "sort-by"),
]
TWO_ARGUMENTS = ["reduce", "map-indexed", "keep-indexed", "reductions"]


@pytest.mark.parametrize("name", [*ONE_ARGUMENT, *TWO_ARGUMENTS])
@pytest.mark.parametrize(("wrong", "what"), [(5, "integer"), (None, "nil"), ("inc", "string")])
def test_what_is_no_function_is_refused_even_for_no_items(name, wrong, what):
    for items in ((), (1,)):
        if name != "reduce" or items:
            assert refusal(name, wrong, items) == f"TypeError: Type error in {name}: expected function, got {what}"


@pytest.mark.parametrize("name", ONE_ARGUMENT)
def test_a_function_must_take_one_argument(name):
    message = "ArityMismatch: Arity mismatch in user-defined function: expected 2, got 1"
    assert refusal(name, add, (1,)) == message


@pytest.mark.parametrize("name", TWO_ARGUMENTS)
def test_a_function_must_take_two_arguments(name):
    message = "ArityMismatch: Arity mismatch in user-defined function: expected 1, got 2"
    assert refusal(name, even, (1,)) == message


@pytest.mark.parametrize("name", [*ONE_ARGUMENT, *TWO_ARGUMENTS])
@pytest.mark.parametrize(("wrong", "what"), [(5, "integer"), (ON, "keyword"), (even, "function")])
def test_scalars_and_functions_are_no_sequences(name, wrong, what):
    function = add if name in TWO_ARGUMENTS else even
    assert refusal(name, function, wrong) == f"TypeError: Type error in {name}: expected collection, got {what}"


@pytest.mark.parametrize("nothing", [(), None, "", List(), Set(EMPTY_MAP), EMPTY_MAP])
def test_reduce_of_nothing_needs_a_start_or_a_function_that_takes_none(nothing):
    message = "Generic: Runtime error: reduce of an empty collection needs an initial value"
    for function in (add, ON, EMPTY_MAP, (1, 2), Set(EMPTY_MAP), BUILTINS["max"].function):
        assert refusal("reduce", function, nothing) == message
    for name, expected in (("+", 0), ("*", 1), ("str", ""), ("vector", ())):
        assert call("reduce", BUILTINS[name].function, nothing) == expected
    assert call("reduce", add, 0, ()) == 0
    assert call("reduce", add, (5,)) == 5


def test_apply_spreads_its_last_argument():
    assert call("apply", add, 1, (2,)) == 3
    assert call("apply", BUILTINS["vector"].function, Map.wrap({ON: 1})) == (ON, 1)
    assert call("apply", BUILTINS["vector"].function, 1, None) == (1,)
    assert call("apply", BUILTINS["str"].function, "abc") == "abc"
    assert refusal("apply", add, 1, 2) == "TypeError: Type error in apply: expected collection, got integer"
    assert refusal("apply", 5, (1,)) == "TypeError: Type error in apply: expected function, got integer"
    assert refusal("apply", add, (1,)).startswith("ArityMismatch: Arity mismatch in user-defined function: expected 2")


def test_keywords_maps_vectors_and_sets_are_functions():
    on = Map.wrap({ON: True})
    assert call("map", ON, (on, Map.wrap({}))) == (True, None)
    assert call("map", on, (ON, Keyword("off"))) == (True, None)
    assert call("map", (5, 6), (1, 9)) == (6, None)
    assert call("filter", Set.of([1, 2]), (1, 3)) == (1,)
    assert refusal("map", ON, (1,)) == "TypeError: Type error in :on: expected map, got integer"
    assert refusal("map", (5,), ("x",)) == "TypeError: Type error in map: expected integer, got string"


def test_map_of_several_collections_ends_with_the_shortest():
    assert call("map", add, (1, 2, 3), List((10, 20))) == (11, 22)
    assert call("map", add, (1,), None) == ()


def test_mapcat_joins_collections_of_any_kind():
    assert call("mapcat", lambda x: x, ((1,), None, "ab", Map.wrap({ON: 1}))) == (1, "a", "b", (ON, 1))
    assert refusal("mapcat", lambda x: x, (5,)) == "TypeError: Type error in mapcat: expected collection, got integer"


def test_parts_keep_the_kind_of_their_source():
    for name in ("filter", "remove", "take-while", "drop-while"):
        assert isinstance(call(name, even, List((1, 2))), List)
        assert call(name, even, GrownVector([1, 2], 2)).__class__ is tuple
        assert call(name, lambda c: c == "a", "ab") in {"a", "b"}
    assert call("split-with", lambda c: c == "a", "ab") == ("a", "b")
    assert call("partition-by", lambda c: c == "a", "aab") == ("aa", "b")


def test_only_nil_and_false_are_false():
    assert call("filter", lambda x: x, (0, "", None, False, ())) == (0, "", ())
    assert call("some", lambda x: x, (None, False, 0)) == 0
    assert call("some", even, (1,)) is None
    assert call("every?", lambda _x: 0, (1,)) is True


def test_a_search_stops_at_the_first_answer():
    def strict(n):
        assert n < 3
        return n == 2

    for name in ("some?", "some"):
        assert call(name, strict, (1, 2, 3)) is True
    assert call("not-any?", strict, (1, 2, 3)) is False
    assert call("every?", lambda n: not strict(n), (1, 2, 3)) is False
    assert call("not-every?", lambda n: not strict(n), (1, 2, 3)) is True


def test_reduce_kv_takes_maps_and_vectors():
    assert call("reduce-kv", lambda sum_, k, v: (*sum_, k, v), (), Map.wrap({ON: 1})) == (ON, 1)
    assert call("reduce-kv", lambda sum_, i, x: sum_ + i * x, 0, (5, 6)) == 6
    assert call("reduce-kv", lambda a, b, c: a, 0, None) == 0
    message = "TypeError: Type error in reduce-kv: expected collection, got integer"
    assert refusal("reduce-kv", lambda a, b, c: a, 0, 5) == message
    assert refusal("reduce-kv", 5, 0, ()) == "TypeError: Type error in reduce-kv: expected function, got integer"


def test_extremes_want_numbers_and_keep_the_last():
    assert call("max-key", size, "aa", "b", "cc") == "cc"
    assert call("min-key", size, "aa", "b", "c") == "c"
    for name in ("max-key", "min-key"):
        assert refusal(name, lambda x: x, "a") == f"TypeError: Type error in {name}: expected number, got string"


def test_sort_by_takes_a_comparator():
    assert call("sort-by", lambda x: -x, (1, 3, 2)) == (3, 2, 1)
    assert call("sort-by", lambda x: x, lambda a, b: a > b, (1, 3, 2)) == (3, 2, 1)
    assert call("sort-by", lambda x: x, lambda a, b: b - a, List((1, 3, 2))) == List((3, 2, 1))
    assert refusal("sort-by", even, 5, (1,)) == "TypeError: Type error in sort-by: expected function, got integer"


@given(INTS)
def test_map_filter_and_reduce_are_those_of_python(xs):
    assert call("map", lambda x: x * 2, xs) == tuple(x * 2 for x in xs)
    assert call("filter", even, xs) == tuple(x for x in xs if x % 2 == 0)
    assert call("reduce", add, 0, xs) == sum(xs)
    assert call("map-indexed", lambda i, x: (i, x), xs) == tuple(enumerate(xs))
    assert call("every?", even, xs) is all(x % 2 == 0 for x in xs)
    assert call("some?", even, xs) is any(x % 2 == 0 for x in xs)


@given(INTS)
def test_pieces_put_together_give_the_whole(xs):
    assert sorted(call("filter", even, xs) + call("remove", even, xs)) == sorted(xs)
    assert call("take-while", even, xs) + call("drop-while", even, xs) == xs
    assert sum(call("split-with", even, xs), ()) == xs
    assert sum(call("partition-by", even, xs), ()) == xs
    assert sum(call("map", lambda kv: kv[1], tuple(call("group-by", even, xs).items())), ()) == call(
        "sort-by", lambda x: xs.index(next(y for y in xs if even(y) == even(x))), xs
    )


@given(INTS)
def test_reductions_end_in_reduce(xs):
    assert call("reductions", add, 0, xs)[-1] == call("reduce", add, 0, xs)
    assert len(call("reductions", add, 0, xs)) == len(xs) + 1
    assert call("reductions", add, xs) == (call("reductions", add, xs[0], xs[1:]) if xs else ())


@given(st.lists(st.tuples(st.integers(0, 3), st.integers()), max_size=20).map(tuple))
def test_sort_by_is_stable(pairs):
    assert call("sort-by", lambda p: p[0], pairs) == tuple(sorted(pairs, key=lambda p: p[0]))


@given(INTS)
def test_groups_and_counts_agree(xs):
    groups = call("group-by", lambda x: x % 3, xs)
    counts = call("count-by", lambda x: x % 3, xs)
    assert {k: len(v) for k, v in groups.items()} == dict(counts.items())
    assert call("frequencies", tuple(x % 3 for x in xs)) == counts
    assert call("distinct-by", lambda x: x % 3, xs) == tuple(v[0] for v in groups.values())
    assert call("index-by", lambda x: x % 3, xs) == Map.of((k, v[-1]) for k, v in groups.items())
    assert all(k.__class__ is int for k in groups)


def test_any_result_may_be_a_key():
    assert call("group-by", lambda x: (x, None, 1.0), (1,)) == Map.of([((1, None, 1.0), (1,))])
    assert call("group-by", even, None) == Map.wrap({})
    assert call("frequencies", (1, 1.0, True, 1)) == Map.of([(1, 2), (1.0, 1), (True, 1)])
    assert call("frequencies", None) == Map.wrap({})


def _until(limit):
    return lambda sum_, n: reduced(sum_) if n > limit else sum_ + n


reduced = BUILTINS["reduced"].function


def test_a_reduced_value_ends_what_reduces():
    assert call("reduce", _until(2), 0, (1, 2, 3, "never added")) == 3
    assert call("reduce", _until(2), (1, 2, 3, "never added")) == 3
    assert call("reductions", _until(2), 0, (1, 2, 3, "never added")) == (0, 1, 3, 3)
    assert call("reduce-kv", lambda _, key, value: reduced(key) if value else None, None, (0, 0, 7, 8)) == 2


def test_a_reduced_value_is_one_of_its_own_until_then():
    one = reduced(1)
    assert (type_name(one), write((one,)), call("unreduced", one), call("unreduced", 2)) == (
        "reduced", "[#<reduced>]", 1, 2,
    )  # fmt: skip
    assert call("reduce", add, one, ()) is one  # what a reduce starts from ends nothing
    assert call("reduced?", one)
    assert not call("reduced?", 1)
    assert call("map", reduced, (1,))[0].value == 1
