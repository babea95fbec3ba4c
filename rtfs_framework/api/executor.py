"""Executors: clusters that already run, over whose workers pieces of work are spread.

An executor knows nothing of what it carries: a piece is bytes, and what comes of it is bytes. The host makes pieces of
records and puts their results into order; it also does again what was lost. So a lost piece must be told, never be
done again in silence: whoever handed it out knows what it may have cost.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import attrs

Work = Callable[[bytes], bytes]
"""A function of a module, which workers import by its name. It returns whatever happens, errors too."""


@attrs.frozen(slots=True, kw_only=True)
class ExecutorSettings:
    """What an executor is made from."""

    address: str
    """What stands after the executor's name: `HOST:PORT` of `--on dask:HOST:PORT`."""
    work: Work
    """What its workers do with a piece."""


@attrs.frozen(slots=True, kw_only=True)
class Ended:
    """A piece that is over: done, or lost."""

    index: int
    result: bytes | None = None
    """What came of it; None where it is lost: it may have been begun, and nobody knows how far it came."""
    why: str = ""
    """How it was lost, in words."""


class Executor(Protocol):
    """Workers of a cluster. One thread calls it at a time.

    Every method raises PluginError (E0830) when the cluster cannot be reached, or has no workers any more.
    """

    def places(self) -> int:
        """Return how many pieces the workers may hold now, so that none of them waits for the next: at least 1."""
        ...

    def submit(self, index: int, piece: bytes) -> None:
        """Hand out a piece. An index is handed out again only after its piece was lost."""
        ...

    def next(self, timeout: float) -> Ended | None:
        """Return a piece that is over, in any order, each once; None where none is within some seconds."""
        ...

    def cancel(self) -> None:
        """Begin nothing that has not begun. What was done already is still told by `next`."""
        ...

    def close(self) -> None:
        """Let the cluster go, and forget what is under way there. Called once."""
        ...


@attrs.frozen(slots=True, kw_only=True)
class ExecutorEntry:
    """A kind of executor that a plugin offers under a name: what stands before the first colon of `--on`."""

    name: str
    summary: str
    factory: Callable[[ExecutorSettings], Executor]
    """Reaches the cluster, or raises PluginError (E0830)."""
