"""What every implementation answers: is it here, and what is to be called to run a program once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Protocol

from benchmarks.catalog import Program

Work = Callable[[], Any]
"""Runs `main` on the data that `setup` made, and returns its result as a Python value."""


class Peer(Protocol):
    """One implementation, a column of the table."""

    @property
    def name(self) -> str:
        """Return the column's title."""

    @property
    def distribution(self) -> str:
        """Return the name of the distribution that it comes from; empty when it is always there."""

    @property
    def outside(self) -> bool:
        """Tell whether it runs programs outside of this thread, so that only the clock on the wall sees its time."""

    def prepare(self, program: Program, size: int) -> Work:
        """Load a program, make its data, and return what runs it.

        Raises:
            CannotExpressError: the language lacks what the program needs.
        """

    def close(self) -> None:
        """Let go of processes."""


class Base:
    """What most peers have in common."""

    name = ""
    distribution = ""
    outside = False

    def close(self) -> None:
        """Let go of nothing: only a peer that has processes of its own has something to do here."""


def installed(peer: Peer) -> str | None:
    """Return the version of a peer, an empty text for what is always there, None when it is not installed."""
    if not peer.distribution:
        return ""
    try:
        return version(peer.distribution)
    except PackageNotFoundError:
        return None


@contextmanager
def closing(peers: tuple[Peer, ...]) -> Iterator[None]:
    """Close all peers in the end."""
    try:
        yield
    finally:
        for peer in peers:
            peer.close()
