"""Single values, and what leaves a run: refused before they are built, at the same place on every Python version."""

from __future__ import annotations

import pytest

from rtfs_framework.kernel.limits import Limits
from rtfs_framework.kernel.loader import run_pure
from rtfs_framework.lang.errors import LimitError

ITEMS = {
    '(loop [s "ab"] (recur (str s s)))': "items",
    "(loop [v [1]] (recur (concat v v)))": "items",
    "(loop [v []] (recur (conj v 1)))": "items",
    "(loop [m {} i 0] (recur (assoc m i i) (inc i)))": "items",
    "(loop [s #{} i 0] (recur (conj s i) (inc i)))": "items",
    "(range 2001)": "items",
    "(repeat 2001 1)": "items",
    '(join "," (repeat 1999 "ab"))': "items",
    "(str (repeat 1000 (repeat 1000 1)))": "items",
    "(mapcat (fn [x] (repeat 900 x)) (range 900))": "items",
    "(partition 1000 1 (range 1999))": "items",
    '(repeat-string "ab" 1001)': "items",
    "(serialize-json (repeat 1000 (repeat 1000 1)))": "items",
    '(re-replace "a" (repeat-string "a" 1000) "bbbb")': "items",
    '(format "%s" (repeat 1000 (repeat 1000 1)))': "items",
    "(interleave (range 1500) (range 1500))": "items",
    "(tree-seq vector? (fn [x] [x x x]) [1])": "items",
}
BITS = ["(loop [x 3] (recur (* x x)))", "(pow 3 4000)", "(factorial 900)", "(bit-shift-left 1 5000)"]


@pytest.mark.parametrize("text", ITEMS)
def test_a_collection_or_text_stops_before_it_is_built(text):
    with pytest.raises(LimitError) as stopped:
        run_pure(text, limits=Limits(items=2_000, steps=50_000_000))
    assert (stopped.value.dimension, stopped.value.limit) == ("items", 2_000)


@pytest.mark.parametrize("text", ["(count (range 2000))", '(count (repeat-string "ab" 1000))'])
def test_what_is_as_large_as_allowed_is_built(text):
    assert run_pure(text, limits=Limits(items=2_000)) == 2_000


@pytest.mark.parametrize("text", BITS)
def test_an_integer_stops_before_it_is_built(text):
    with pytest.raises(LimitError) as stopped:
        run_pure(text, limits=Limits(bits=4_096))
    assert (stopped.value.dimension, stopped.value.limit) == ("integer-bits", 4_096)


def test_without_bounds_larger_values_are_built():
    assert run_pure("(count (str (pow 2 2000000)))", limits=Limits(bits=None)) > 100_000
    assert run_pure("(count (range 10000001))", limits=Limits(items=None, memory=None)) == 10_000_001


def test_the_result_of_a_run_is_bounded():
    assert len(run_pure('(repeat-string "a" 5000)', limits=Limits(output=5_000))) == 5_000
    for text in ('(repeat-string "a" 5001)', "(range 3000)", "(repeat 100 (range 100))"):
        with pytest.raises(LimitError) as stopped:
            run_pure(text, limits=Limits(output=5_000))
        assert (stopped.value.dimension, stopped.value.limit) == ("output", 5_000)


@pytest.mark.parametrize(
    "text", ["(call :a (range 3000))", '(step "s" (range 3000))', '(context/set :k (repeat-string "a" 6000))']
)
def test_what_is_sent_to_the_host_is_bounded(start, drive, text):
    with pytest.raises(LimitError) as stopped:
        drive(start(text, output=5_000), 1)
    assert stopped.value.dimension == "output"


@pytest.mark.parametrize(
    ("field", "value"), [("steps", 0), ("memory", 1000), ("items", 10), ("bits", 1), ("depth", 0), ("steps", True)]
)
def test_a_limit_that_makes_no_sense_is_refused(field, value):
    with pytest.raises(ValueError, match=f"{field} must be at least"):
        Limits(**{field: value})
