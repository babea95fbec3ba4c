"""The host prelude: kept values are read, changed and written back; what a read may fail with; wrong calls."""

from __future__ import annotations

import pytest

from rtfs_framework.kernel.instance import Instance
from rtfs_framework.kernel.loader import compile_source
from rtfs_framework.lang.canonical import canonical_print
from rtfs_framework.lang.errors import ProgramError, generic_error
from rtfs_framework.lang.maps import Map
from rtfs_framework.lang.values import Keyword


def begin(text):
    return Instance(compile_source(text, prelude=True)).start()


@pytest.mark.parametrize(
    ("text", "found", "kept"),
    [
        ('(kv/conj! "log" 3 4 5)', (1,), "[1 3 4 5]"),
        ('(kv/conj! "log" 3)', None, "[3]"),
        ('(kv/conj! "log" 3)', generic_error("no such key"), "[3]"),
        ('(kv/assoc! "cart" :a 1 :b 2)', None, "{:a 1 :b 2}"),
        ('(kv/assoc! "cart" :a 1)', generic_error("no such key"), "{:a 1}"),
        ('(kv/dissoc! "cart" :a :b)', Map.wrap({Keyword("a"): 1, Keyword("c"): 2}), "{:c 2}"),
        ('(let [add kv/conj!] (add "log" 1 2))', None, "[1 2]"),
    ],
)
def test_a_kept_value_is_changed(drive, text, found, kept):
    value, calls = drive(begin(text), found, None)
    assert canonical_print(value) == kept
    assert [name for name, _ in calls] == ["ccos.state.kv.get", "ccos.state.kv.put"]
    assert canonical_print(calls[1][1][1]) == kept


def test_what_may_not_be_read_is_not_taken_for_nothing(drive):
    with pytest.raises(ProgramError, match="denied"):
        drive(begin('(kv/assoc! "cart" :a 1)'), ProgramError("SecurityViolation", "denied"))


@pytest.mark.parametrize("call", ['(f "k")', '(f "k" :a)', '(f "k" :a 1 :b)'])
def test_a_wrong_number_of_arguments_is_refused_before_the_host_is_asked(drive, call):
    with pytest.raises(ProgramError) as caught:
        drive(begin(f"(let [f kv/assoc!] {call})"))
    assert caught.value.kind == "ArityMismatch"
    assert "kv/assoc!" in caught.value.message
