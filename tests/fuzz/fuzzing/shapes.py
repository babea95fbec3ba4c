"""Programs that call every builtin with shapes that amplify: little text stands for much work or much memory.

In: the table of the library, so that a new builtin is covered by itself, and how large the shapes are. Out: programs,
always the same ones in the same order. Which kinds of arguments a builtin takes is found out by calling it with small
ones.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from itertools import product

from greenlet import greenlet

import rtfs_framework.kernel.loader  # noqa: F401 - enters what is the kernel's into the library
from rtfs_framework.kernel.host_table import HOST
from rtfs_framework.lang.errors import InternalError, LimitError, ProgramError
from rtfs_framework.lang.maps import Map, Set
from rtfs_framework.lang.meter import Meter
from rtfs_framework.lang.values import ErrorValue, Keyword, Symbol, Timestamp
from rtfs_framework.stdlib.library import BUILTINS
from rtfs_framework.stdlib.table import Builtin

LIBRARY = {**BUILTINS, **HOST}

SMALL = {
    "text": ("ab", "1", "[1]", "2026-01-01"),
    "vector": ((1, 2), ("ab", "c"), ((1, 2), (3, 4)), ((Keyword("a"), 1),)),
    "map": (Map.wrap({}), Map.wrap({Keyword("a"): Map.wrap({})})),
    "set": (Set.of((1, 2)),),
    "integer": (1, 2),
    "float": (1.5,),
    "function": (lambda *_: True, lambda *_: 1, lambda *_: (1,), lambda *_: None),
    "keyword": (Keyword("a"), Keyword("days"), Keyword("int")),
    "other": (None, True, Symbol("a"), ErrorValue("K", "m"), Timestamp("2026-01-01T00:00:00Z")),
}
"""Small values of every kind, by which it is found out what a builtin takes."""


def shapes(scale: int) -> dict[str, tuple[str, ...]]:
    """Return expressions of large values of every kind; sizes are divided by `scale`."""

    def of(size: int) -> int:
        return size // scale

    text = f'(repeat-string "a" {of(9_000_000)})'
    return {
        "text": (
            text,
            f'(repeat-string "é" {of(9_000_000)})',
            f'(repeat-string "😀 " {of(4_500_000)})',
            f'(repeat-string "a " {of(4_500_000)})',
            f'(repeat-string " " {of(9_000_000)})',
            f'(repeat-string "%9999d" {of(1_000_000)})',
            f'(repeat-string "%s" {of(1_000_000)})',
            f'(repeat-string "[" {of(9_000_000)})',
            f'(str "[" (repeat-string "[]," {of(3_000_000)}) "[]]")',
            f'(str "[" (repeat-string "{{}}," {of(3_000_000)}) "[]]")',
            f'(str "[" (repeat-string "1" {of(300_000)}) "]")',
            f'(repeat-string "1" {of(300_000)})',
            f'(repeat-string "%C3%A9" {of(1_500_000)})',
            f'(repeat-string "a,😀\\n" {of(2_000_000)})',
            f'(str (repeat-string "a" {of(4_000_000)}) "b")',
            f'(str "b" (repeat-string "a" {of(4_000_000)}))',
            f'(repeat-string "$0" {of(500_000)})',
            '"a+"',
            '""',
            '"(a|b)*a(a|b){600}"',
            '"(?i)([^a]{900}[^b]{900}|x)"',
            '"a.*b|a"',
        ),
        "vector": (
            f"(vec (range {of(3_000_000)}))",
            f"(repeat {of(4_000_000)} {text})",
            f"(repeat {of(1_000_000)} (pow 2 {of(990_000)}))",
            f"(repeat {of(1_000_000)} (repeat {of(1_000_000)} 1))",
            f"(map (fn [i] (* i 2305843009213693951)) (range {of(300_000)}))",
            f"(map (fn [i] (* i 4294967297)) (range {of(300_000)}))",
            f"(map (fn [i] [[[[[[[[(* i 2305843009213693951)]]]]]]]]) (range {of(100_000)}))",
            f"(map (fn [i] [i (- 0 i)]) (range {of(400_000)}))",
            f"(map (fn [i] {{:a i}}) (range {of(300_000)}))",
            f"(map (fn [i] (str i)) (range {of(1_000_000)}))",
            f"(repeat {of(300_000)} ##NaN)",
            f"(map (fn [i] (* i 1.0)) (range {of(500_000)}))",
            "(loop [i 0 v [1]] (if (= i 60) v (recur (inc i) [v v])))",
            f"(loop [i 0 v [1]] (if (= i {of(300_000)}) v (recur (inc i) [v])))",
            f"(loop [i 0 v (vec (range {of(500_000)}))] (if (= i 190) v (recur (inc i) [v])))",
            f"(loop [i 0 v []] (if (= i {of(1_000_000)}) v (recur (inc i) (conj v i))))",
            f"(repeat {of(1_000_000)} [:a {text}])",
        ),
        "map": (
            f"(zipmap (range {of(500_000)}) (range {of(500_000)}))",
            f"(zipmap (map (fn [i] (* i 2305843009213693951)) (range {of(200_000)})) (range {of(200_000)}))",
            f"(reduce (fn [m i] (assoc m (* i 4294967297) i)) {{}} (range {of(100_000)}))",
            "(loop [i 0 v {:a 1}] (if (= i 60) v (recur (inc i) {:a v :b v})))",
            "(loop [i 0 v {1 1}] (if (= i 60) v (recur (inc i) (hash-map v v [v] v))))",
            f"{{:a {text} :b (repeat {of(1_000_000)} {text})}}",
            f"(loop [i 0 v {{}}] (if (= i {of(300_000)}) v (recur (inc i) {{:a v}})))",
        ),
        "set": (
            f"(set (range {of(500_000)}))",
            f"(set (map (fn [i] (* i 2305843009213693951)) (range {of(200_000)})))",
            "(loop [i 0 v #{1}] (if (= i 60) v (recur (inc i) #{v [v]})))",
            f"#{{{text}}}",
        ),
        "integer": (
            str(of(9_000_000)),
            f"(pow 2 {of(990_000)})",
            f"(- (pow 3 {of(600_000)}))",
            f"(pow 7 {of(100_000)})",
            "1000000000000",
            "3",
        ),
        "float": ("1.5", "##NaN", "##Inf", "1e308"),
        "function": (
            "identity",
            "(fn [& xs] xs)",
            "(fn [& xs] 1)",
            f"(let [t {text}] (fn [& xs] t))",
            f"(let [t (repeat {of(1_000_000)} 1)] (fn [& xs] t))",
            "(fn [& xs] (str xs))",
            "(fn [& xs] nil)",
        ),
        "keyword": (":a", ":days", ":int", "[:vector :int]", ":string"),
        "other": ("nil", "true", "'a", '#timestamp("2026-01-01T00:00:00Z")', '(try (throw "x") (catch e e))'),
    }


_MOST_TRIED = 150
"""Combinations of kinds that are tried with one builtin."""


def taken(record: Builtin) -> list[tuple[str, ...]]:
    """Return the kinds of arguments that a builtin takes, in several numbers."""
    counts = sorted({record.low, min(record.low + 1, record.high or 9), min(record.low + 2, record.high or 9)})
    some = [kinds for count in counts if 0 < count < 4 for kinds in product(SMALL, repeat=count)]
    if len(some) > _MOST_TRIED:
        some = random.Random(record.name).sample(some, _MOST_TRIED)
    found = [kinds for kinds in some if _fits(record, kinds)]
    return found or [("vector",) * max(record.low, 1)]


def _fits(record: Builtin, kinds: tuple[str, ...]) -> bool:
    function = record.within(lambda _name: None)
    return any(_takes(function, values) for values in product(*(SMALL[kind] for kind in kinds)))


def _takes(function: Callable[..., object], values: tuple[object, ...]) -> bool:
    inner = greenlet(function)
    inner.meter = Meter(items=1_000, bits=1_000)  # type: ignore[attr-defined]
    try:
        inner.switch(*values)
    except (LimitError, InternalError):  # (some ask the run that they are in)
        return True
    except ProgramError as error:
        return error.kind not in ("TypeError", "ArityMismatch")
    return True


WAYS = (
    "(f {args})",
    "(loop [i 0] (if (= i 100000000) i (do (try (f {args}) (catch e nil)) (recur (inc i)))))",
    "(loop [i 0 kept []] (recur (inc i) (conj kept (try (f {args}) (catch e nil)))))",
    "(count (set [(f {args}) (f {args})]))",
    "(str (f {args}))",
)
"""What is done with a call: once, again and again, with all results kept, as a key, and shown."""


def programs(seed: int, each: int, scale: int) -> Iterator[tuple[str, str]]:
    """Yield (name of the builtin, program), so many for every builtin of the library that asks no host."""
    large = shapes(scale)
    for record in dict.fromkeys(LIBRARY.values()):
        if record.effect is not None:
            continue
        chosen = random.Random(f"{seed} {record.name}")
        accepted = taken(record)
        for _ in range(each):
            kinds = chosen.choice(accepted)
            names = [f"x{place}" for place in range(len(kinds))]
            defined = " ".join(
                f"(def {name} {chosen.choice(large[kind])})" for name, kind in zip(names, kinds, strict=True)
            )
            way = chosen.choice(WAYS)
            call = way.replace("{args}", " ".join(names)).replace("(f ", f"({record.name} ")
            if record.high is None and chosen.random() < 0.3:
                call = f"(apply {record.name} {' '.join(names[:-1])} (repeat {2_000_000 // scale} {names[-1]}))"
            yield record.name, f"{defined} {call}"
