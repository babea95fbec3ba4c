"""Bits: agreement with Python's integers, and every rejection."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtfs_framework.lang.errors import LimitError, ProgramError
from rtfs_framework.stdlib import bits  # noqa: F401 - it fills the table
from rtfs_framework.stdlib.table import BUILTINS


def call(name, *args):
    return BUILTINS[name].function(*args)


@given(st.integers(), st.integers(), st.integers(), st.integers(0, 200))
def test_bits_are_those_of_the_integers(a, b, c, places):
    assert call("bit-and", a, b, c) == a & b & c
    assert call("bit-or", a, b, c) == a | b | c
    assert call("bit-xor", a, b, c) == a ^ b ^ c
    assert call("bit-not", a) == ~a
    assert call("bit-shift-left", a, places) == a << places
    assert call("bit-shift-right", a, places) == a >> places
    assert call("bit-test", a, places) is bool(a >> places & 1)
    assert call("bit-count", a) == sum(map(int, f"{abs(a):b}"))


def test_a_shift_of_zero_goes_any_distance_and_a_shift_right_ends():
    assert call("bit-shift-left", 0, 10**30) == 0
    assert call("bit-shift-right", -5, 10**30) == -1
    assert call("bit-test", -1, 10**30) is True


@pytest.mark.parametrize("name", ["bit-and", "bit-or", "bit-xor", "bit-shift-left", "bit-shift-right", "bit-test"])
@pytest.mark.parametrize("wrong", [1.0, True, "1", None])
def test_only_integers_have_bits(name, wrong):
    for args in ((wrong, 1), (1, wrong)):
        with pytest.raises(ProgramError, match=f"Type error in {name}: expected integer"):
            call(name, *args)


@pytest.mark.parametrize("name", ["bit-not", "bit-count"])
def test_only_integers_have_bits_alone(name):
    with pytest.raises(ProgramError, match=f"Type error in {name}: expected integer, got float"):
        call(name, 1.0)


def test_a_negative_distance_is_refused():
    for name in ("bit-shift-left", "bit-shift-right", "bit-test"):
        with pytest.raises(ProgramError, match=f"Invalid argument: Places of {name} must not be negative"):
            call(name, 1, -1)


def test_a_shift_cannot_take_the_memory():
    with pytest.raises(LimitError):
        call("bit-shift-left", 1, 10**12)
