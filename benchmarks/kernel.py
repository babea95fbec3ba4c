"""The kernel: what a host call costs beside a bare greenlet, and what a function costs that nothing can delegate."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from greenlet import greenlet

from benchmarks.table import Row
from benchmarks.timing import Ratio, ratio
from rtfs_framework.kernel.instance import Instance
from rtfs_framework.kernel.loader import compile_source
from rtfs_framework.kernel.outcome import Complete
from rtfs_framework.kernel.purehost import PureHost

_CALLS = 20_000
_PLAIN = 200_000
_NESTED = 20


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

    yield Row(name="kernel yield round trip", ratio=ratio(drive, switches(_CALLS)), yardstick=SWITCH, target=12)


SWITCH = "a switch to a bare greenlet and back"


def switches(count: int) -> Callable[[], None]:
    """Return what makes so many switches to a bare greenlet and back: what a host call cannot be without."""

    def switch() -> None:
        outside = greenlet.getcurrent()

        def inside() -> None:
            for number in range(count):
                outside.switch(number)

        other = greenlet(inside)
        other.switch()
        for _ in range(count):
            other.switch(None)

    return switch


def plain_call() -> Iterable[Row]:
    """Compare calls of functions that nothing can delegate with plain Python calls, 20 nested calls a round.

    The functions could call themselves, so that no pass puts their bodies where they are called, and each call takes
    what the one inside it gave, so that none can be left out. The first hands values on; the second adds integers, as
    functions are compiled a second time for integers and then called by way of a test.
    """
    for name, body, peer in (
        ("an undelegatable function", "(if (nil? a) [(pick b a c)] b)", "(pick(b, a, c),) if a is None else b"),
        ("one over integers", "(if (< a 0) (- (pick b a c)) (+ a b))", "-pick(b, a, c) if a < 0 else a + b"),
    ):
        measured = _nested_calls(body, peer)
        yield Row(name=f"call of {name}", ratio=measured, yardstick="the same call in plain Python", target=1.3)


def _nested_calls(body: str, peer: str) -> Ratio:
    """Return RTFS's time by Python's for the same calls of the same function."""
    calls = peer_calls = "x"
    for _ in range(_NESTED):
        calls, peer_calls = f"(pick b {calls} c)", f"pick(b, {peer_calls}, c)"
    instance = load(
        f"(defn pick [a b c] {body}) (defn main [n b c] (loop [i 0 x 0] (if (< i n) (recur (inc i) {calls}) x)))"
    )
    names: dict[str, Any] = {}
    loop = f"    i = x = 0\n    while i < n:\n        x = {peer_calls}\n        i += 1\n    return x\n"
    exec(f"def pick(a, b, c):\n    return {peer}\ndef main(n, b, c):\n{loop}", names)  # noqa: S102 - the same, in Python
    arguments = (_PLAIN // _NESTED, 2, 3)

    def ours() -> object:
        return PureHost().finish(instance.call("main", arguments))

    if ours() != names["main"](*arguments):
        message = f"{body} gave {ours()!r}"
        raise AssertionError(message)
    return ratio(ours, lambda: names["main"](*arguments))
