"""The programs of one tenant that were asked for lately: compiled once under each set of rules, and kept.

A program that asks nothing of its host is evaluated once, too: whatever its top-level forms make, they make again.
Everything here happens in the server's event loop; compiling and computing do not.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from time import perf_counter
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.kernel.seat import Seat
from rtfs_framework.orchestrator.running.linking import Prepared, prepare_in
from rtfs_framework.orchestrator.running.narrowing import NO_NARROWING, Narrowing, narrowed
from rtfs_framework.orchestrator.running.program import UNFINISHED, LoadedProgram
from rtfs_framework.orchestrator.session import Session
from rtfs_framework.server.attending import stopped

if TYPE_CHECKING:
    from typing_extensions import Self

    from rtfs_framework.lang.source import Source

_BRIEF = 0.01
"""Seconds that a call may take here. (The clock of the thread alone would be fairer, and costs more than a call.)"""
_MOST_LATE = 3
"""Calls in a row that take longer before the next ones go elsewhere: on a busy machine any one may be kept waiting."""
_LEAST_AWAY, _MOST_AWAY = 64, 1024
_MOST_TEXT = 16 << 20
"""Characters of all programs that are kept for a tenant: what is made of them takes many times that."""
_MOST_RULES = 64
"""Sets of rules that are kept for a tenant; callers have a handful."""


@attrs.define(slots=True, eq=False)
class Kept:
    """A program that is fit to run, under some rules. `with` it, and it stays open until the block ends."""

    session: Session
    prepared: Prepared
    loaded: LoadedProgram | None
    """Ready to be called, where the program asks nothing of its host; else None: each run is one of its own."""
    seat: Seat = attrs.field(factory=Seat, kw_only=True)
    """Where calls run that are made in the event loop."""
    _users: int = attrs.field(default=0, init=False)
    _away: int = attrs.field(default=0, init=False)
    """Calls that go to the session's thread before one is tried here again."""
    _penalty: int = attrs.field(default=_LEAST_AWAY, init=False)
    _late: int = attrs.field(default=0, init=False)
    """Calls in a row that took longer than a brief one."""
    _under_way: int = attrs.field(default=0, init=False)
    """Calls that compute in that thread now."""
    _dropped: bool = attrs.field(default=False, init=False)

    def __enter__(self) -> Self:
        self._users += 1
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        self._users -= 1
        self._close_unused()

    def briefly(self, entry: str | None, args: tuple[Any, ...]) -> Any:
        """Return the value of a call of its program, where it asks nothing of its host and is brief, else `UNFINISHED`.

        To hand a call to the session's thread costs more than most calls. So it is made here, where the last ones were
        brief; one that is not done within a slice is to begin anew there, and so are those after it for a while.
        """
        loaded = self.loaded
        if loaded is None:
            return UNFINISHED
        if entry is None and not args:
            return loaded.value
        if self._away or self._under_way or self.session.limits.steps is None:
            return UNFINISHED
        began = perf_counter()
        value = loaded.call_briefly(entry or "main", args, self.seat)
        self._late = self._late + 1 if perf_counter() - began > _BRIEF else 0
        if value is UNFINISHED or self._late >= _MOST_LATE:
            self._late, self._away, self._penalty = 0, self._penalty, min(2 * self._penalty, _MOST_AWAY)
        elif not self._late:
            self._penalty = max(_LEAST_AWAY, self._penalty // 2)
        return value

    async def value(self, loaded: LoadedProgram, entry: str | None, args: tuple[Any, ...]) -> Any:
        """Return the value of a call of its program, which asks nothing of its host: computed beside the event loop."""
        if entry is None and not args:
            return loaded.value
        self._away = max(0, self._away - 1)
        self._under_way += 1
        try:
            return (await loaded.call_async(entry or "main", args)).value
        finally:
            self._under_way -= 1

    @property
    def size(self) -> int:
        """How many characters its text has."""
        return len(self.prepared.artifact.source.text)

    def drop(self) -> None:
        """Close it as soon as nobody uses it."""
        self._dropped = True
        self._close_unused()

    def _close_unused(self) -> None:
        if self._dropped and not self._users and self.loaded is not None:
            self.loaded.close()


_Key = tuple[Narrowing, str, str]
"""Rules, the name of a program, and the digest of its text."""


@attrs.define(slots=True, eq=False)
class _Making:
    """A program that is compiled now, for all who asked for it meanwhile. It belongs to none of them."""

    task: asyncio.Task[Kept]
    waiting: int = 0


@attrs.define(slots=True, eq=False)
class Programs:
    """What is kept for one tenant."""

    session: Session
    most: int
    seconds: float
    """How long compiling one may take."""
    _rules: OrderedDict[Narrowing, Session] = attrs.field(factory=OrderedDict, init=False)
    _kept: OrderedDict[_Key, Kept] = attrs.field(factory=OrderedDict, init=False)
    _making: dict[_Key, _Making] = attrs.field(factory=dict, init=False)
    _seat: Seat = attrs.field(factory=Seat, init=False)
    _text: int = attrs.field(default=0, init=False)
    """Characters of those that are kept."""

    def under(self, rules: Narrowing) -> Session:
        """Return the tenant's session under narrower rules; it closes with the tenant's own."""
        if rules == NO_NARROWING:
            return self.session
        found = self._rules.get(rules)
        if found is None:
            base = self.session
            found = self._rules[rules] = Session(narrowed(base.host, rules), base.portal, base.limits)
            if len(self._rules) > _MOST_RULES:
                self._rules.popitem(last=False)
        else:
            self._rules.move_to_end(rules)
        return found

    def known(self, source: Source, digest: str, rules: Narrowing) -> Kept | None:
        """Return a program that was asked for lately, fit to run; `digest` is of its text."""
        key = (rules, source.name, digest)
        found = self._kept.get(key)
        if found is not None:
            self._kept.move_to_end(key)
        return found

    async def get(self, source: Source, digest: str, rules: Narrowing) -> Kept:
        """Return a program fit to run, to be used at once; `digest` is of its text.

        Of equal requests one compiles, and all get what it got. It goes on while any of them waits.

        Raises:
            RtfsError: It was refused, or what it evaluates first has failed.
        """
        found = self.known(source, digest, rules)
        if found is not None:
            return found
        key = (rules, source.name, digest)
        making = self._making.get(key)
        if making is None:
            making = self._making[key] = _Making(asyncio.ensure_future(self._make(key, source)))
        making.waiting += 1
        try:
            return await asyncio.shield(making.task)
        finally:
            making.waiting -= 1
            if not making.waiting:
                del self._making[key]  # before anything waits: nobody joins what is about to be stopped
                await self._left(making.task)

    async def _make(self, key: _Key, source: Source) -> Kept:
        session = self.under(key[0])
        prepared = await prepare_in(session.portal, session.host, source, session.limits, self.seconds)
        alone = not prepared.leaves_kernel and session.host.dispatcher.labelling is None
        loaded = await session.load_async(prepared.link(session.limits)) if alone else None
        made = self._kept[key] = Kept(session, prepared, loaded, seat=self._seat)
        made.__enter__()  # until the last who waits for it has it
        self._text += made.size
        while len(self._kept) > self.most or (self._text > _MOST_TEXT and len(self._kept) > 1):
            _, oldest = self._kept.popitem(last=False)
            self._text -= oldest.size
            oldest.drop()
        return made

    async def _left(self, task: asyncio.Task[Kept]) -> None:
        """Stop what nobody waits for any more; what was made is only kept, once the last who waited uses it."""
        await stopped(task)
        if not task.cancelled() and task.exception() is None:
            asyncio.get_running_loop().call_soon(task.result().__exit__, None, None, None)
