"""A Dask cluster as an executor: every piece has one worker, and is lost with it.

Dask itself would do the pieces of a lost worker again, without a word. So each is bound to the worker that has the
fewest, and whoever handed it out is told when that worker has gone.
"""

from __future__ import annotations

import asyncio
import queue
import socket
from concurrent.futures import CancelledError
from contextlib import suppress
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any

import attrs
import distributed
from distributed.comm.addressing import parse_host_port

from rtfs_framework.api import Ended, PluginError

if TYPE_CHECKING:
    from typing_extensions import Self

    from rtfs_framework.api import ExecutorSettings, Work

DISTRIBUTION = "rtfs-executor-dask"
_CLIENT: Any = distributed.Client
_OUT_OF_REACH = "E0830"
_REACH = 10.0
"""Seconds in which the scheduler must answer."""
_BACK = 30.0
"""Seconds in which workers may come back, where all have gone."""
_LOOK = 0.5
"""Seconds between two looks at which workers there are."""
_AHEAD = 1
"""Pieces that a worker holds beside those that it computes, so that it need not wait for the next."""


@attrs.define(slots=True, eq=False)
class _UnderWay:
    """A piece that was handed out."""

    future: Any
    worker: str


@attrs.define(slots=True, eq=False)
class Cluster:
    """The workers of a cluster, as its scheduler knows them."""

    address: str
    work: Work
    client: Any
    _workers: dict[str, int] = attrs.field(factory=dict, init=False)
    """Threads of each worker, by its address."""
    _looked: float = attrs.field(default=float("-inf"), init=False)
    _under_way: dict[int, _UnderWay] = attrs.field(factory=dict, init=False)
    _over: queue.SimpleQueue[tuple[int, Any]] = attrs.field(factory=queue.SimpleQueue, init=False)
    """Futures that have ended, with their indices; Dask's own thread puts them there."""
    _serial: int = attrs.field(default=0, init=False)

    @classmethod
    def reached(cls, settings: ExecutorSettings) -> Self:
        """Return the cluster whose scheduler is at an address.

        Raises:
            PluginError: E0830, it cannot be reached, or has no workers.
        """
        address = settings.address
        try:
            _knock(address)
            client = _CLIENT(address, timeout=_REACH, set_as_default=False)
        except (OSError, asyncio.TimeoutError, ValueError, TypeError, ImportError) as error:
            raise _unreachable(address, f"no scheduler answers: {error}") from error
        made = cls(address, settings.work, client)
        try:
            made._begin()
        except BaseException:
            client.close()
            raise
        return made

    def _begin(self) -> None:
        """See that there are workers.

        Raises:
            PluginError: E0830, there are none.
        """
        self._look()
        if not self._workers:
            raise _unreachable(self.address, "it has no workers")

    def places(self) -> int:
        """Return how many pieces the workers may hold now.

        Raises:
            PluginError: E0830, the scheduler does not answer, or has no workers.
        """
        self._look()
        until = monotonic() + _BACK
        while not self._workers:
            if monotonic() > until:
                raise _unreachable(self.address, "it has no workers any more")
            sleep(_LOOK)
            self._look()
        return sum(threads + _AHEAD for threads in self._workers.values())

    def submit(self, index: int, piece: bytes) -> None:
        """Hand a piece to the worker that has the fewest for its threads."""
        self.places()
        held = dict.fromkeys(self._workers, 0)
        for each in self._under_way.values():
            held[each.worker] = held.get(each.worker, 0) + 1
        worker = min(self._workers, key=lambda name: held[name] / self._workers[name])
        self._serial += 1
        key = f"rtfs-{id(self):x}-{index}-{self._serial}"
        future = self.client.submit(
            self.work, piece, key=key, workers=[worker], allow_other_workers=False, retries=0, pure=False
        )
        self._under_way[index] = _UnderWay(future, worker)
        future.add_done_callback(lambda done: self._over.put((index, done)))

    def next(self, timeout: float) -> Ended | None:
        """Return a piece that is over; None where none is within some seconds."""
        until = monotonic() + timeout
        while True:
            left = until - monotonic()
            try:
                index, future = self._over.get(timeout=max(0.0, min(left, _LOOK)))
            except queue.Empty:
                self._look()
                lost = self._lost()
                if lost is not None or left <= _LOOK:
                    return lost
                continue
            known = self._under_way.get(index)
            if known is not None and known.future is future:
                del self._under_way[index]
                return self._ended(index, known)

    def cancel(self) -> None:
        """Take back what has not begun; what has begun goes on, and is told where it ends in time."""
        self.client.cancel([each.future for each in self._under_way.values() if not each.future.done()])

    def close(self) -> None:
        """Let the cluster go."""
        self._under_way.clear()
        self.client.close()

    def _look(self) -> None:
        """See which workers there are.

        Raises:
            PluginError: E0830.
        """
        now = monotonic()
        if now - self._looked < _LOOK:
            return
        try:
            found = self.client.scheduler_info(n_workers=-1)["workers"]
        except (OSError, asyncio.TimeoutError, KeyError) as error:
            raise _unreachable(self.address, f"its scheduler has gone: {error}") from error
        self._looked = now
        self._workers = {name: max(1, int(facts["nthreads"])) for name, facts in found.items()}

    def _ended(self, index: int, known: _UnderWay) -> Ended:
        """Return a piece that is over; its result lies with its worker, which may have gone by now."""
        future = known.future
        if future.status == "error":
            return Ended(index=index, why=f"it broke: {future.exception(timeout=_REACH)!r:.500}")
        while known.worker in self._workers and future.status != "cancelled":
            with suppress(OSError, asyncio.TimeoutError, CancelledError):
                return Ended(index=index, result=future.result(timeout=_LOOK))
            self._look()
        if future.status == "cancelled":
            return Ended(index=index, why="it was taken back")
        future.cancel()
        return _gone(index, known)

    def _lost(self) -> Ended | None:
        """Return a piece whose worker has gone."""
        for index, each in self._under_way.items():
            if each.worker not in self._workers and not each.future.done():
                del self._under_way[index]
                each.future.cancel()
                return _gone(index, each)
        return None


def _gone(index: int, known: _UnderWay) -> Ended:
    return Ended(index=index, why=f"the worker {known.worker} has gone")


def _knock(address: str) -> None:
    """See that somebody listens there: Dask itself goes on trying until its time is over.

    Raises:
        OSError: Nobody does.
        ValueError: The address has no port.
    """
    scheme, _, place = address.rpartition("://")
    if scheme in ("", "tcp", "tls"):
        socket.create_connection(parse_host_port(place), timeout=_REACH).close()


def _unreachable(address: str, why: str) -> PluginError:
    way_out = "see that its scheduler and workers run, and that the address is the scheduler's: dask:HOST:PORT"
    return PluginError(DISTRIBUTION, f"the cluster at {address}: {why}", code=_OUT_OF_REACH, way_out=way_out)
