"""What programs do in loops: how much longer ten times as many rounds take. Linear is 10; n log n is some 12."""

from __future__ import annotations

from collections.abc import Iterable

from benchmarks.table import Row
from benchmarks.timing import Work, ratio
from rtfs_framework.kernel.instance import Instance
from rtfs_framework.kernel.limits import Limits
from rtfs_framework.kernel.loader import compile_source
from rtfs_framework.kernel.purehost import PureHost

_FEW, _MANY = 20_000, 200_000
_ROUNDS = 5
_MOST = 15
"""Large data is beyond the processor's caches, so even plain loops over it take more than ten times as long."""

IDIOMS = {
    "[x & xs]": "(loop [[x & xs] V s 0] (if (nil? x) s (recur xs (+ s x))))",
    "rest": "(loop [v V s 0] (if (empty? v) s (recur (rest v) (+ s (first v)))))",
    "pop": "(loop [v V s 0] (if (empty? v) s (recur (pop v) (+ s (peek v)))))",
    "subvec": "(loop [v V s 0] (if (empty? v) s (recur (subvec v 1) (+ s (nth v 0)))))",
    "a list": "(loop [v (reduce conj (list) V) s 0] (if (empty? v) s (recur (rest v) (+ s (first v)))))",
    "into": "(count (reduce (fn [a x] (into a [x])) [] V))",
    "concat": "(count (reduce (fn [a x] (concat a [x])) [] V))",
    "cons": "(count (reduce (fn [a x] (cons x a)) [] V))",
    "assoc": "(count (reduce (fn [a x] (assoc a x 0)) V V))",
    "conj of pop": "(count (reduce (fn [a x] (conj (pop a) x)) V V))",
    "dissoc": "(count (reduce (fn [a x] (dissoc a x)) (zipmap V V) V))",
    "merge": "(count (reduce (fn [a x] (merge a {:a 1 :b 2 :c 3 :d 4 x x})) {} V))",
    "union": "(count (reduce (fn [a x] (union a #{x})) #{} V))",
    "first of a set": "(loop [v (set V) s 0] (if (empty? v) s (let [x (first v)] (recur (disj v x) (+ s x)))))",
}


def idioms() -> Iterable[Row]:
    """Yield, for each idiom, the time for 200,000 items as a multiple of that for 20,000, with the default limits."""
    for name, text in IDIOMS.items():
        measured = ratio(program(text, _MANY), program(text, _FEW), rounds=_ROUNDS)
        yield Row(
            name=f"{name}: ten times the rounds", ratio=measured, yardstick=f"the same for {_FEW:,} items", target=_MOST
        )


def program(text: str, size: int) -> Work:
    """Return what runs an idiom over so many items."""
    instance = Instance(compile_source(text.replace("V", f"(range {size})")), limits=Limits())
    return lambda: PureHost().finish(instance.start())
