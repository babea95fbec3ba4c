"""An executor without a cluster: it does its pieces where it is asked for them, and loses those that it is told to."""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from rtfs_framework.api.executor import Ended, Work


@attrs.define(slots=True, eq=False)
class InlineExecutor:
    """Does its pieces one by one, the latest first, so that nobody relies on their order."""

    work: Work
    workers: int = 2
    loses: Iterable[int] = ()
    """Indices of pieces that are done and then lost, each once."""
    handed: list[int] = attrs.field(factory=list, init=False)
    """Indices as they were handed out."""
    closed: bool = attrs.field(default=False, init=False)
    _waiting: list[tuple[int, bytes]] = attrs.field(factory=list, init=False)
    _to_lose: set[int] = attrs.field(init=False)

    @_to_lose.default
    def _lost(self) -> set[int]:
        return set(self.loses)

    def places(self) -> int:
        """Return how many pieces it holds."""
        return self.workers

    def submit(self, index: int, piece: bytes) -> None:
        """Take a piece."""
        self.handed.append(index)
        self._waiting.append((index, piece))

    def next(self, timeout: float) -> Ended | None:  # noqa: ARG002 - nothing here waits
        """Do the latest piece."""
        if not self._waiting:
            return None
        index, piece = self._waiting.pop()
        try:
            result = self.work(piece)
        except Exception as error:  # noqa: BLE001 - whatever breaks a piece breaks that one alone
            return Ended(index=index, why=f"it broke: {error!r}")
        if index in self._to_lose:
            self._to_lose.discard(index)
            return Ended(index=index, why="it was to be lost")
        return Ended(index=index, result=result)

    def cancel(self) -> None:
        """Forget what has not begun."""
        self._waiting.clear()

    def close(self) -> None:
        """Note that nobody uses it any more."""
        self.closed = True
