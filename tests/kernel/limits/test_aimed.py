"""Values chosen to be slow: keys that share Python's hash, large integers as text, programs slow to compile."""

from __future__ import annotations

import pytest

from rtfs_framework.kernel.instance import Instance
from rtfs_framework.kernel.limits import Limits
from rtfs_framework.kernel.loader import compile_source
from rtfs_framework.kernel.purehost import PureHost
from rtfs_framework.lang.decimals import decimal_text, integer_of
from rtfs_framework.lang.errors import LimitError
from rtfs_framework.lang.maps import Key, Map, to_key
from rtfs_framework.lang.printer import write

PRIME = (1 << 61) - 1
"""Python's hash of an integer is its remainder by this."""
FAMILIES = {
    "multiples of Python's modulus": lambda i: (i + 8) * PRIME,
    "negative ones": lambda i: -(i + 8) * PRIME,
    "vectors of them": lambda i: ((i + 8) * PRIME, 1),
    "deeply nested": lambda i: ((((((((i,),),),),),),),),
    "floats of one mantissa": lambda i: 1.5 * 2.0 ** (61 * (i % 30) - 900) * (1 + i // 30),
    "NaN": lambda _: float("nan"),
    "minus one and minus two": lambda i: tuple(-1 - (i >> bit & 1) for bit in range(12)),
    "maps": lambda i: Map.wrap({"a": (i + 8) * PRIME}),
}


@pytest.mark.parametrize("name", FAMILIES)
def test_keys_that_pythons_hash_takes_for_alike_have_hashes_of_their_own(name):
    keys = [to_key(FAMILIES[name](i)) for i in range(3_000)]
    assert all(key.__class__ is Key for key in keys)
    assert len(set(map(hash, keys))) > 2_900


def test_integers_that_share_the_bits_that_a_trie_keeps_are_hashed_apart_there():
    text = "(loop [i 0 m (zipmap (range 20) (range 20))] (if (< i 3000) (recur (inc i) (f m (* i 4294967297))) m))"
    instance = Instance(compile_source("(defn f [m k] (assoc m k 1)) " + text))
    made = PureHost().finish(instance.start())
    hashes = {hash(key) & 0xFFFFFFFF ^ hash(key) >> 32 & 0xFFFFFFFF for key in made._trie.entries}
    assert len(hashes) > 2_900
    assert [made.get(i * 4294967297) for i in (0, 5, 2_999)] == [1, 1, 1]
    assert made.keys()[20:22] == [4294967297, 2 * 4294967297]


LARGE = [10**5_000 + 7, -(7**20_000), 1 << 60_000, -1, 0, 10**4_299, 10**4_300]


@pytest.mark.parametrize("number", LARGE, ids=lambda number: f"{number.bit_length()} bits")
def test_integers_of_any_size_are_decimal_digits_and_read_back(number):
    text = decimal_text(number)
    assert integer_of(text) == number
    assert text.lstrip("-").isdigit()
    assert len(text.lstrip("-")) == len(write(abs(number)))


SHOWN = {
    "(str n)": "1" + "0" * 4_999 + "7",
    '(format "%d" n)': "1" + "0" * 4_999 + "7",
    '(format "%+,d" n)': "+100," + "000," * 1_665 + "007",
    "(serialize-json [n])": "[1" + "0" * 4_999 + "7]",
    "(= n (parse-int (str n)))": True,
    "(= n (int (str n)))": True,
    "(= [n] (parse-json (serialize-json [n])))": True,
    '(string-length (format "%5010d" n))': None,
}


@pytest.mark.parametrize("expression", SHOWN)
def test_a_large_integer_is_written_in_decimal_everywhere(expression):
    text = f"(let [n (+ 7 (pow 10 5000))] (try {expression} (catch e nil)))"
    found = PureHost().finish(Instance(compile_source(text)).start())
    assert found == (SHOWN[expression] if SHOWN[expression] is not None else 5_010)


def test_a_text_of_too_many_digits_is_refused_by_the_limit_on_bits():
    with pytest.raises(LimitError, match="more than 1000000 bits"):
        PureHost().finish(Instance(compile_source('(parse-int (repeat-string "9" 400000))')).start())


SLOW = {
    "macros": "(defmacro m [] (loop [i 0] (if (< i 900000) (recur (inc i)) 1)))" + " (m)" * 10,
    "an expansion": "(defmacro m [] (loop [i 0 v [1]] (if (= i 40) v (recur (inc i) [v v])))) (count (m))",
    "many forms": "(defn f [x] (+ x 1)) " * 3_000,
}


@pytest.mark.parametrize("name", SLOW)
def test_the_watch_is_asked_while_a_program_is_compiled(name):
    asked = []

    def watch():
        asked.append(1)
        if len(asked) == 2:
            raise LimitError("seconds", 1, "time is over")

    with pytest.raises(LimitError, match="time is over"):
        compile_source(SLOW[name], watch=watch)


def test_a_watch_that_tells_of_slow_steps_is_asked_more_often():
    def looks(seconds):
        asked = []

        def watch():
            asked.append(1)
            return seconds

        text = "(loop [i 0] (if (< i 300000) (recur (+ i (count [i]) 0)) i))"
        run = Instance(compile_source(text), limits=Limits(depth=None), watches=lambda: watch).start()
        PureHost().finish(run)
        return len(asked), run.steps

    (few, steps), (many, same) = looks(0.001), looks(0.3)
    assert steps == same
    assert many > 20 * few
