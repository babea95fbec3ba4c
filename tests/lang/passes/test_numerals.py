"""Arithmetic of known kinds is Python's own, and gives what the library gives: values, classes, errors, limits."""

from __future__ import annotations

import itertools

import pytest

from rtfs_framework.kernel.instance import Instance
from rtfs_framework.kernel.limits import Limits
from rtfs_framework.kernel.loader import compile_source
from rtfs_framework.kernel.purehost import PureHost
from rtfs_framework.lang.errors import LimitError, ProgramError

INTEGERS = [0, 1, -1, 7, -7, 1 << 64, 1 << 600, -(1 << 600), 1 << 1100]
FLOATS = [0.0, -0.0, 1.5, -7.25, 1e308, float("inf"), float("nan")]
ONE = ["(abs a)", "(- a)", "(+ a)", "(float a)", "(even? a)", "(odd? a)", "(zero? a)", "(pos? a)", "(neg? a)"]
TWO = [
    *("(mod a b)", "(quot a b)", "(rem a b)", "(/ a b)", "(max a b)", "(min a b)", "(mod a 7)", "(quot a 7)"),
    *("(rem a 7)", "(/ a 4)", "(mod 7 b)", "(/ 7 b)", "(* a b)", "(* a a b)", "(+ a b 3 a)", "(< a b 9)", "(>= b a 0)"),
    *("(- a b 2)", "(= a a)", "(* a a)", "(quot (abs a) 5)", "(rem (count [1 2 3]) (abs b))", "(mod (abs a) (abs b))"),
]


def outcome(instance, *args):
    try:
        value = PureHost().finish(instance.call("f", args))
    except ProgramError as error:
        return error.kind, str(error)
    except LimitError as error:
        return "limit", error.dimension
    return type(value).__name__, repr(value)


def loaded(body, passes=None):
    """Return a program whose function takes two numbers; a loop makes operands of both."""
    text = f"(defn f [a b] (loop [i 0] (if (< (+ a b i) (+ a b i)) (recur (inc i)) {body})))"
    made = Instance(compile_source(text, **({} if passes is None else {"passes": passes})), limits=Limits(bits=2000))
    PureHost().finish(made.start())
    return made


@pytest.mark.parametrize("body", [*ONE, *TWO])
def test_known_kinds_change_no_result(body):
    with_all, without = loaded(body), loaded(body, {"mutual"})
    for a, b in itertools.chain(itertools.product(INTEGERS, INTEGERS), itertools.product(FLOATS, [2.5, 0.0, 3])):
        assert outcome(with_all, a, b) == outcome(without, a, b), (a, b)


@pytest.mark.parametrize("body", ONE)
@pytest.mark.parametrize("start", ["0.0", "-0.0", "2.5", "-7.25", "-3", "0", "5"])
def test_what_a_loop_knows_changes_no_result(body, start):
    text = f"(loop [i 0 a {start}] (if (< i 3) (recur (inc i) (+ a 1)) {body}))"
    results = [
        repr(PureHost().finish(Instance(compile_source(text, passes=p)).start())) for p in ({"mutual"}, {"numbers"})
    ]
    assert results[0] == results[1]


def test_a_bounded_product_is_bounded_and_others_are_measured():
    bounded = "(loop [i 0 a 1] (if (< i 3000) (recur (inc i) (mod (* a a 3) 1000003)) a))"
    grows = "(loop [i 0 a 3] (if (< i 3000) (recur (inc i) (* a a)) a))"
    in_turn = "(loop [i 0 a 3 b 5] (if (< i 3000) (recur (inc i) b (* a b)) a))"
    limits = Limits(bits=1024)
    assert PureHost().finish(Instance(compile_source(bounded), limits=limits).start()) == _checksum(3000)
    for text in (grows, in_turn):
        with pytest.raises(LimitError) as caught:
            PureHost().finish(Instance(compile_source(text), limits=limits).start())
        assert caught.value.dimension == "integer-bits"


def _checksum(rounds):
    a = 1
    for _ in range(rounds):
        a = a * a * 3 % 1000003
    return a
