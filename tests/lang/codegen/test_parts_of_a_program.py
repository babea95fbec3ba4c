"""Programs of many top-level forms: they are emitted in parts, and nobody can tell."""

from __future__ import annotations

import pytest

from rtfs_framework.kernel.loader import compile_source, run_pure
from rtfs_framework.lang.codegen.program import MOST_IN_A_PART
from rtfs_framework.lang.errors import ProgramError

MANY = 2 * MOST_IN_A_PART + 50


def test_names_and_the_value_of_the_last_form_cross_parts() -> None:
    numbers = ["(def x0 0)", *(f"(def x{i} (inc x{i - 1}))" for i in range(1, MANY))]
    even = "(defn even [n] (if (= n 0) true (odd (- n 1))))"
    odd = "(defn odd [n] (if (= n 0) false (even (- n 1))))"
    text = "\n".join([even, *numbers, odd, f"[x0 x{MANY - 1} (even 4) (odd 4)]"])
    assert run_pure(text) == (0, MANY - 1, True, False)


@pytest.mark.parametrize("count", [1, MOST_IN_A_PART, MANY])
def test_an_error_has_the_same_stack_in_a_part(count: int) -> None:
    text = "\n".join(["(def x 1)"] * (count - 1) + ["(defn f [n] (/ n 0))", "(f 1)", *["(def y 2)"] * count])
    with pytest.raises(ProgramError) as raised:
        run_pure(text)
    place = f"<string>:{count + 1}:1"
    assert raised.value.value.stack == (f"f at <string>:{count}:13", f"top level at {place}")


def test_a_small_program_has_no_parts() -> None:
    parts = [name for name in compile_source("(def x 1) x").functions if name.startswith("part")]
    assert not parts
