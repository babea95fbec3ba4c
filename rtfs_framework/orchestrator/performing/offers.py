"""What other hosts offer: asked for in the background, shown to decisions as a signal, never waited for.

In: the providers that ask other RTFS hosts. Out: for each the offer as it was heard last, in bands. An offer is asked
for when a run begins, and then when a decision reads it and the last word is older than some seconds: so a host that
only explains or checks asks nobody. Until a host has said something, and when it falls silent, nothing is known of it.

Every change is told to the journal, like that of any other signal: a decision is found again while the offers that it
read stand, and another policy can be answered reads of the past.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from threading import Lock, Thread
from typing import TYPE_CHECKING

import attrs

from rtfs_framework.api.errors import ProviderError
from rtfs_framework.api.remote import Offer
from rtfs_framework.api.targets import show_target
from rtfs_framework.orchestrator.concurrency.deadlines import OverdueError
from rtfs_framework.registry.faults import PluginFault

if TYPE_CHECKING:
    from rtfs_framework.api.targets import ExecTarget
    from rtfs_framework.api.values import Clock
    from rtfs_framework.orchestrator.concurrency.loops import LoopThread
    from rtfs_framework.orchestrator.config.model import Config
    from rtfs_framework.orchestrator.performing.providers import ProviderInstance, ProviderPool
    from rtfs_framework.orchestrator.recording.journal.writer import Journal

EVERY = 5.0
"""Seconds after which a host is asked again."""
_SILENT = 60.0
"""Seconds after which what a silent host said last counts no more."""
_PATIENCE = 2.0


def offers_of(
    config: Config, pool: ProviderPool, io: LoopThread, clock: Clock, journal: Journal | None
) -> Offers | None:
    """Return the offers of a host's peers; None where no engine was chosen that might read them."""
    if not config.engine_chosen:
        return None

    def told(target: ExecTarget, found: Offer | None) -> None:
        if journal is not None:
            journal.signal("offer", show_target(target), found)

    return Offers.of(pool, io, clock, told)


@attrs.define(slots=True, eq=False)
class _Peer:
    instance: ProviderInstance
    offer: Offer | None = None
    heard: float = float("-inf")
    asked: float = float("-inf")
    told: Offer | None = None
    tells: bool = False
    """Whether the journal was told anything of it."""


@attrs.define(slots=True, eq=False)
class Offers:
    """The offers of one host's peers; safe for threads."""

    peers: dict[ExecTarget, _Peer]
    io: LoopThread
    clock: Clock
    told: Callable[[ExecTarget, Offer | None], None] = lambda *_: None
    _lock: Lock = attrs.field(factory=Lock, init=False)
    _thread: Thread | None = attrs.field(default=None, init=False)
    _closed: bool = attrs.field(default=False, init=False)
    _live: bool = attrs.field(default=False, init=False)

    @classmethod
    def of(
        cls, pool: ProviderPool, io: LoopThread, clock: Clock, told: Callable[[ExecTarget, Offer | None], None]
    ) -> Offers:
        """Return the offers of the hosts in a pool; nobody is asked yet."""
        usable = (target for target in pool.instances if pool.unusable(target) is None)
        peers = {target: _Peer(pool.instances[target]) for target in usable if pool.instances[target].entry.travels}
        return cls(peers, io, clock, told)

    def offer(self, target: ExecTarget) -> Offer | None:
        """Return what a host offers, as it was heard last; None where nothing is known."""
        peer = self.peers.get(target)
        if peer is None:
            return None
        if self._live:
            self.look()
        now = self.clock.monotonic()
        with self._lock:
            found = peer.offer if now - peer.heard < _SILENT else None
            if not peer.tells or found != peer.told:
                peer.tells, peer.told = True, found
                self.told(target, found)
        return found

    def look(self) -> None:
        """Ask the hosts whose word is old, in the background; from the first time on, reads do so, too."""
        self._live = True
        now = self.clock.monotonic()
        with self._lock:
            if self._closed or self._thread is not None:
                return
            due = [each for each in self.peers.values() if now - each.asked >= EVERY]
            if not due:
                return
            for each in due:
                each.asked = now
            self._thread = Thread(target=self._ask, args=(due,), name="rtfs offers", daemon=True)
            self._thread.start()

    def settle(self) -> None:
        """Wait until those that are asked have answered, or their time is over."""
        thread = self._thread
        if thread is not None:
            thread.join()

    def close(self) -> None:
        """Ask nobody any more."""
        self._closed = True
        self.settle()

    def _ask(self, due: list[_Peer]) -> None:
        try:
            for each in due:
                if not self._closed:
                    self._hear(each)
        finally:
            self._thread = None

    def _hear(self, peer: _Peer) -> None:
        with suppress(ProviderError, OverdueError, PluginFault, RuntimeError):
            found = self.io.wait(self._answer(peer.instance))
            if isinstance(found, Offer):
                with self._lock:
                    peer.offer, peer.heard = found, self.clock.monotonic()

    @staticmethod
    async def _answer(instance: ProviderInstance) -> object:
        says = getattr(instance.provider(), "offer", None)
        if not callable(says):
            return None
        found: object = await instance.outside.call("`offer`", _PATIENCE, lambda: says(_PATIENCE))
        return found
