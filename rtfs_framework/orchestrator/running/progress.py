"""How far a stream of records has come, written down so that whoever goes on with its run begins there.

A row "progress" says how many records are done, what they were (a digest over all of them, in order), how many failed,
and, of a fold, the state. It is written when the next record is asked for, so whoever reads the stream has had all that
it counts; what it says of itself (how long its output file is) goes with it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.api.values import Clock

if TYPE_CHECKING:
    from rtfs_framework.orchestrator.recording.journal.run import Chain

_EVERY = 256
"""Records after which it is written."""
_SECONDS = 1.0
"""Seconds after which it is, with fewer."""
START = b"\0" * 16
"""Stands for no records."""


@attrs.define(slots=True, eq=False)
class Progress:
    """How far one stream has come."""

    chain: Chain
    clock: Clock
    entry: int
    done: int = 0
    failed: int = 0
    seen: bytes = START
    """Stands for all records that are done, in their order."""
    beside: Callable[[], Mapping[str, Any]] = dict
    """What whoever reads the stream says of itself, as JSON-ready data."""
    _written: int = attrs.field(default=0, init=False)
    _when: float = attrs.field(init=False)

    @_when.default
    def _now(self) -> float:
        return self.clock.monotonic()

    def count(self, record: str, *, failed: bool) -> None:
        """Count a record that is done; `record` is its digest."""
        self.done += 1
        self.failed += failed
        self.seen = after(self.seen, record)

    def write(self, state: Callable[[], str | None] | None = None, *, now: bool = False) -> None:
        """Write down how far it is, if that is due, or `now`; `state` gives the text of what is carried over."""
        if self.done == self._written:
            return
        moment = self.clock.monotonic()
        if not now and self.done - self._written < _EVERY and moment - self._when < _SECONDS:
            return
        text = None if state is None else state()
        self._written, self._when = self.done, moment
        if state is not None and (text is None or self.chain.journal.blot(text) != text):
            return  # what has no text, or one with a secret in it, begins where it last had one that may be kept
        body = {"entry": self.entry, "done": self.done, "failed": self.failed, "seen": self.seen.hex()}
        self.chain.note("progress", {**body, **self.beside()}, text)


def after(seen: bytes, record: str) -> bytes:
    """Return what stands for records and one more."""
    return blake2b(seen + record.encode(), digest_size=16).digest()


@attrs.frozen(slots=True, kw_only=True)
class Start:
    """Where a stream begins that is gone on with."""

    done: int = 0
    failed: int = 0
    seen: str = ""
    state: str | None = None
    """The text of what a fold carries."""
    beside: Mapping[str, Any] = attrs.field(factory=dict)


BEGINNING = Start()
