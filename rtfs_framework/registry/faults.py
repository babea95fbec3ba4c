"""Plugins that break: the one way into their code, and the one place where their faults are kept.

In: a `Part` (which record of which plugin) and a piece of its code. Out: what the code returned, or a `PluginFault`
that names the distribution. `Faults` keeps what went wrong: each kind is told once and then counted, so a plugin that
breaks at every call costs a line and not a line per call.

Invariants: whatever a plugin raises is its own fault, `SystemExit` and other `BaseException`s too; Ctrl-C alone passes.
(`ask` calls synchronous code only, in which no cancellation of asyncio can arrive.) Any thread may note a fault.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import TypeVar

import attrs

from rtfs_framework.api.errors import PluginError
from rtfs_framework.registry.interrupts import by_user
from rtfs_framework.registry.problems import BROKE, PluginProblem, Provenance, describe, without

T = TypeVar("T")

Hear = Callable[[PluginProblem], None]

_MOST = 64
"""Kinds of faults kept apart; what comes after them is counted with the last."""


@attrs.frozen(slots=True)
class Part:
    """What a plugin offers and a host uses: its kind ("engine", "cache"), its name and who offers it."""

    kind: str
    name: str
    provenance: Provenance

    def __str__(self) -> str:
        return f"{self.kind} '{self.name}' ({self.provenance})"


class PluginFault(PluginError):
    """A plugin's code that raised, or that returned what it must not; `way_out` when that is not to mend the plugin."""

    def __init__(
        self, part: Part, doing: str, wrong: BaseException | str, *, code: str = BROKE, way_out: str = ""
    ) -> None:
        raised = wrong if isinstance(wrong, BaseException) else None
        who = part.provenance
        told = wrong if raised is None else f"failed: {describe(raised)}"
        self.words = f"{part.kind} '{part.name}': {doing} {told}"
        mend = way_out or without(who, f"upgrade {who.distribution} or tell its authors")
        super().__init__(str(who), self.words, code=code, way_out=mend)
        self.distribution = who.distribution
        self.part = part
        self.kind_of_fault = (part, doing, wrong if raised is None else type(raised).__name__)
        self.__cause__ = raised

    def finding(self, instead: str = "") -> PluginProblem:
        """Return what people are told; `instead` says what the host does without the plugin."""
        return PluginProblem(
            code=self.code,
            message=f"{self.problem}; {instead}" if instead else self.problem,
            distributions=(self.distribution,),
            help=self.way_out or "",
            severity="warning",
        )


def is_theirs(error: BaseException) -> bool:
    """Tell whether what came out of a plugin's synchronous code is its fault: all but the user's Ctrl-C."""
    return not isinstance(error, KeyboardInterrupt) or not by_user(error)


def ask(part: Part, doing: str, use: Callable[..., T], *args: object) -> T:
    """Call a plugin's code and return what it returns.

    Raises:
        PluginFault: It raised something, whatever it was.
    """
    try:
        return use(*args)
    except BaseException as error:
        if is_theirs(error):
            raise PluginFault(part, doing, error) from error
        raise


def make(part: Part, factory: Callable[..., T], *args: object, methods: tuple[str, ...]) -> T:
    """Return what a plugin's factory makes, if it has the methods of its kind.

    Raises:
        PluginFault: The factory raised, or returned something else.
    """
    made = ask(part, "its factory", factory, *args)
    missing = [name for name in methods if not callable(ask(part, "its factory", getattr, made, name, None))]
    if missing:
        named = "None" if made is None else f"a {type(made).__name__}"
        raise PluginFault(part, "its factory", f"returned {named}, which has no `{missing[0]}`")
    return made


@attrs.define(slots=True, eq=False)
class Faults:
    """What went wrong with the plugins of a host, in the order in which it was met."""

    _found: dict[object, PluginProblem] = attrs.field(factory=dict, init=False)
    _hearers: list[Hear] = attrs.field(factory=list, init=False)
    _lock: Lock = attrs.field(factory=Lock, init=False)

    @property
    def problems(self) -> tuple[PluginProblem, ...]:
        """What is known so far; `count` says how often."""
        with self._lock:
            return tuple(self._found.values())

    def add(self, problem: PluginProblem, kind: object = None) -> bool:
        """Note a problem, and tell it when nothing of its kind was noted before; return whether it was told."""
        with self._lock:
            key = problem if kind is None else kind
            if key not in self._found and len(self._found) >= _MOST:
                key = next(reversed(self._found))
            known = self._found.get(key)
            self._found[key] = problem if known is None else attrs.evolve(known, count=known.count + 1)
            hearers = () if known is not None else tuple(self._hearers)
        for hear in hearers:
            hear(problem)
        return known is None

    def note(self, fault: PluginFault, instead: str = "") -> bool:
        """Note a fault, and what the host did instead; return whether it was told."""
        return self.add(fault.finding(instead), fault.kind_of_fault)

    def listen(self, hear: Hear) -> None:
        """Tell somebody every problem, those that are known included, once."""
        with self._lock:
            known = tuple(self._found.values())
            self._hearers.append(hear)
        for problem in known:
            hear(problem)
