"""Lineage: which replies a run was given before it asked for the next one. In: replies as they come. Out: their ids.

Replies come in order and what lies between is pure, so a request may rest on every reply that its run was given before
it, on those that its parent was given before a fan-out where a branch asks, on those of the top-level forms where a
later call into the program asks, and on whatever those rest on. It rests on no other: except where a program keeps
values from one call to another (`memoize`), and there all of it counts as one.

Bounded: beyond `MOST` replies those of a run are told as that run's (`RUN:*`), beyond `MOST` runs as anybody's (`*`).
That is more than was used, never less.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import attrs

from rtfs_framework.api.cache import NO_INFO, CacheInfo

if TYPE_CHECKING:
    from rtfs_framework.orchestrator.recording.run_scope import OpenCall

MOST = 64
"""Replies, or runs, that are told one by one."""
ANY = "*"
_KEEPS_VALUES = "memoize"
"""Of the library: what keeps a value of one call for the next."""


@attrs.define(slots=True, eq=False)
class Lineage:
    """The replies that a run, or a branch, was given so far."""

    _given: dict[str, None] = attrs.field(factory=dict)
    _outer: Lineage | None = None
    """The run that waits for this branch."""
    _whole: bool = False
    """Whether all of the program counts as one: what one call is given may be kept for another."""

    @classmethod
    def of_program(cls, used: Iterable[str]) -> Lineage:
        """Return the lineage of a program's top-level forms; `used` are the names of the library that it uses."""
        return cls(whole=_KEEPS_VALUES in used)

    @property
    def sources(self) -> tuple[str, ...]:
        """The ids of all that was given so far, and of what that rests on."""
        return tuple(self._given)

    def add(self, reply: str, sources: Iterable[str] = ()) -> None:
        """Count a reply, and what it rests on."""
        given = self._given
        if ANY not in given:
            for each in (reply, *sources):
                if f"{run_of(each)}:{ANY}" not in given:
                    given[each] = None
            if len(given) > MOST:
                self._given = _folded(given)
        if self._outer is not None:
            self._outer.add(reply, sources)

    def entry(self) -> Lineage:
        """Return the lineage of a later call into the program."""
        return self if self._whole else Lineage(dict(self._given))

    def branch(self) -> Lineage:
        """Return the lineage of a branch, which begins with its parent's; that one counts what the branch is given."""
        return self if self._whole else Lineage(dict(self._given), self)

    def recall(self) -> None:
        """Count what the runs around this branch were given by now: it reads a value that any branch may have set."""
        outer = self._outer
        while outer is not None:
            for each in outer.sources:
                self.add(each)
            outer = outer._outer


def rests_on(info: CacheInfo, reply: str) -> bool:
    """Tell whether a value is a reply, or may have come from it."""
    if info.reply == reply:
        return True
    sources = info.sources
    return reply in sources or ANY in sources or f"{run_of(reply)}:{ANY}" in sources


def run_of(reply: str) -> str:
    """Return the run of a reply's id."""
    return reply.partition(":")[0]


def reply_id(opened: OpenCall) -> str:
    """Return the id of the reply that a call is given: its run, and the call as `rtfs runs show` names it."""
    record = opened.record
    where = f"{record.entry}" if record.record is None else f"{record.entry}:{record.record}"
    return f"{opened.scope.run}:{where}:{record.path}"


def received(opened: OpenCall, info: CacheInfo = NO_INFO) -> None:
    """Count a reply that a call was given: one that is kept, with what is known of it, or its own."""
    lineage = opened.scope.lineage
    if lineage is not None:
        lineage.add(info.reply or reply_id(opened), info.sources)


def sources_of(opened: OpenCall) -> tuple[str, ...]:
    """Return what a call's request may rest on."""
    lineage = opened.scope.lineage
    return () if lineage is None else lineage.sources


def _folded(given: dict[str, None]) -> dict[str, None]:
    runs = dict.fromkeys(f"{run_of(each)}:{ANY}" for each in given)
    return runs if len(runs) <= MOST and ANY not in given else {ANY: None}
