"""The kernel: what a host call costs, and what a function costs that nothing can delegate."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from benchmarks.table import Row
from benchmarks.timing import ratio, typical
from rtfs_framework.kernel.instance import Instance
from rtfs_framework.kernel.loader import compile_source
from rtfs_framework.kernel.outcome import Complete
from rtfs_framework.kernel.purehost import PureHost

_CALLS = 20_000
_PLAIN = 200_000


def load(text: str) -> Instance:
    """Return a loaded program."""
    instance = Instance(compile_source(text))
    PureHost().finish(instance.start())
    return instance


def host_round_trip() -> Iterable[Row]:
    """Yield the time from a program's `call` to its continuation, journal and dispatch left out."""
    instance = load("(defn main [n] (loop [i 0] (if (< i n) (do (call :x i) (recur (inc i))) i)))")

    def drive() -> None:
        run = instance.call("main", (_CALLS,))
        outcome = run.step()
        while not isinstance(outcome, Complete):
            outcome = run.resume(None)

    yield Row(name="kernel yield round trip", value=typical(drive) / _CALLS * 1e6, unit="µs", target=5)


def plain_call() -> Iterable[Row]:
    """Compare a call of a function that nothing can delegate with a plain Python call, 20 calls a round."""
    calls = " ".join("(pick a b c)" for _ in range(20))
    instance = load(
        f"(defn pick [a b c] b) (defn main [n a b c] (loop [i 0] (if (< i n) (do {calls} (recur (inc i))) nil)))"
    )
    names: dict[str, Any] = {}
    body = "\n        ".join("pick(a, b, c)" for _ in range(20))
    peer = f"def main(n, a, b, c):\n    i = 0\n    while i < n:\n        {body}\n        i += 1\n"
    exec("def pick(a, b, c):\n    return b\n" + peer, names)  # noqa: S102 - the peer: the same calls, written out
    rounds = _PLAIN // 20
    value = ratio(
        lambda: PureHost().finish(instance.call("main", (rounds, 1, 2, 3))),
        lambda: names["main"](rounds, 1, 2, 3),
    )
    yield Row(name="call of an undelegatable function", value=value, unit="x", target=1.3, peer="plain Python")
