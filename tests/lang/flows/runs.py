"""Runs that are watched: what is asked at each place, and whether that changes when one source of the run does."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from random import Random
from typing import Any

from record_programs import KEYS

from rtfs_framework.kernel.call_kind import CallKind
from rtfs_framework.kernel.instance import Instance
from rtfs_framework.kernel.limits import Limits
from rtfs_framework.kernel.outcome import Complete
from rtfs_framework.lang.canonical import canonical_print
from rtfs_framework.lang.errors import LimitError, ProgramError, generic_error
from rtfs_framework.lang.flows.model import SHAPE, Flows, Input, Parameter, ReplyOf
from rtfs_framework.lang.maps import Map
from rtfs_framework.lang.values import Keyword

LIMITS = Limits(depth=500, steps=50_000, host_calls=300)
Asked = dict[str, list[tuple[str, ...]]]
"""By place, what was asked there, in order."""


class Watched:
    """A host of one run of a program; `spoiled` is the place whose replies are others than usual."""

    def __init__(self, seed: int, spoiled: str | None = None) -> None:
        self.seed, self.spoiled = seed, spoiled
        self.asked: Asked = {}
        self.context: dict[str, Any] = {}

    def drive(self, run: Any) -> None:
        """Answer a run to its end."""
        outcome = run.step()
        while not isinstance(outcome, Complete):
            outcome = self._answer(run, outcome.call)

    def _answer(self, run: Any, call: Any) -> Any:
        place = str(call.place)
        before = self.asked.setdefault(place, [])
        told = canonical_print((call.args, call.hints, tuple(sorted(call.freed[0])) if call.freed else ()))
        before.append((call.kind.name, call.capability, told))
        if call.kind is CallKind.CONTEXT_SET:
            self.context[call.capability] = call.args[0]
            return run.resume(None)
        if call.kind is CallKind.CONTEXT_GET:
            return run.resume(self.context.get(call.capability))
        if call.kind is CallKind.EVENT:
            return run.resume(None)
        choice = (len(before) * 7 + self.seed + (place == self.spoiled)) % 6
        if choice == 5:
            return run.throw(generic_error("no"))
        if choice == 4 and call.kind is CallKind.DELEGATED:
            return run.resume_locally()
        return run.resume((None, 1, "k", True, False)[choice])


def watch(artifact: Any, args: tuple[Any, ...], seed: int, spoiled: str | None = None) -> Asked | None:
    """Return what a program asks; None where a limit ends it, for such runs are not compared."""
    host = Watched(seed, spoiled)
    instance = Instance(artifact, limits=LIMITS)
    try:
        host.drive(instance.start())
        host.drive(instance.call("main", args))
    except ProgramError:
        pass
    except LimitError:
        return None
    return host.asked


def value(rng: Random) -> Any:
    """Return a value for a column."""
    return rng.choice([0, 1, "k", "z", None, True, False, 2.5, "long text"])


def record(rng: Random, *, nested: bool = True) -> dict[str, Any]:
    """Return a record."""
    inner = {"n": record(rng, nested=False)} if nested else {}
    return {key: value(rng) for key in (*KEYS, "t")} | inner


def rtfs(given: Any) -> Any:
    """Return plain data as a program has it."""
    if isinstance(given, dict):
        return Map.of([(Keyword(key), rtfs(part)) for key, part in given.items()])
    return tuple(map(rtfs, given)) if isinstance(given, list) else given


def columns() -> list[tuple[int, tuple[str, ...]]]:
    """Return what may be changed: a column of the one record, or of all the others."""
    return [*((0, (key,)) for key in KEYS), (0, ("n", "a")), (0, ("n", "b")), *((1, (key,)) for key in "abt")]


def changed(given: list[Any], column: tuple[int, tuple[str, ...]], rng: Random) -> tuple[list[Any], bool]:
    """Return arguments with a column changed, and whether each value is of the kind and size that it had."""
    made, alike = copy.deepcopy(given), True
    place, path = column
    for each in made[1] if place else [made[0]]:
        inner = each
        for key in path[:-1]:
            inner = inner[key]
        before, inner[path[-1]] = inner[path[-1]], value(rng)
        alike = alike and _shape(before) == _shape(inner[path[-1]])
    return made, alike


def _shape(given: Any) -> Any:
    return type(given), len(given) if isinstance(given, str) else 0


def covers(flows: Flows, place: str, source: Any, *, alike: bool = True) -> bool:
    """Tell whether the flow of a place holds a source: a reply, or a column, or all that it is a part of."""
    flow = flows.of(place)
    if flow is None or flow.sources is None:
        return True
    if isinstance(source, str):
        return ReplyOf(source) in flow.sources
    number, path = source
    return any(_is_of(each, ("r", "rs")[number], path, alike=alike) for each in flow.sources)


def _is_of(source: Any, parameter: str, path: tuple[str, ...], *, alike: bool) -> bool:
    if isinstance(source, Parameter):
        return source == Parameter("main", parameter)
    if not isinstance(source, Input) or (source.function, source.parameter) != ("main", parameter):
        return False
    if source.path[-1:] == (SHAPE,):
        return source.path[:-1] == path and not alike
    return source.path == path[: len(source.path)] or path == source.path[: len(path)]


def leaks(artifact: Any, seed: int, counted: dict[str, int]) -> Iterator[str]:
    """Yield what the flows of a program do not tell: places at which a source changed what was asked."""
    rng, flows = Random(seed), artifact.flows
    for turn in range(4):
        given = [record(rng), [record(rng, nested=False) for _ in range(2)]]
        base = watch(artifact, (rtfs(given[0]), rtfs(given[1])), turn)
        if base is None:
            continue
        replies = [place for place, asked in base.items() if asked[0][0] in ("CAPABILITY", "DELEGATED")]
        for source in [*rng.sample(columns(), 4), *replies]:
            column = not isinstance(source, str)
            made, alike = changed(given, source, rng) if column else (given, True)
            other = watch(artifact, (rtfs(made[0]), rtfs(made[1])), turn, None if column else source)
            for place in {*base, *({} if other is None else other)}:
                told = other is None or covers(flows, place, source, alike=alike)
                counted["told apart"] += not told
                if other is not None and base.get(place) != other.get(place):
                    counted["seen"] += 1
                    if not told:
                        yield f"{source} at {place}: {base.get(place)} and {other.get(place)}"
