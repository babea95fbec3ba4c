"""Something that is made in a thread while the rest goes on; who wants it looks whether it is done."""

from __future__ import annotations

from collections.abc import Callable
from threading import Thread
from typing import Generic, TypeVar

Made = TypeVar("Made")


class Building(Generic[Made]):
    """One making of one thing. What it raises is raised where the result is taken."""

    def __init__(self, make: Callable[[], Made]) -> None:
        self._make = make
        self._made: Made | None = None
        self._fault: Exception | None = None
        self._thread = Thread(target=self._run, name="rtfs-similar-index", daemon=True)
        self._thread.start()

    @property
    def done(self) -> bool:
        """Tell whether it can be taken without waiting."""
        return not self._thread.is_alive()

    def take(self) -> Made:
        """Wait for the thing and return it.

        Raises:
            Exception: Whatever the making raised.
        """
        self._thread.join()
        if self._fault is not None:
            raise self._fault
        assert self._made is not None  # noqa: S101 - the thread has ended, and without a fault
        return self._made

    def _run(self) -> None:
        try:
            self._made = self._make()
        except Exception as fault:  # noqa: BLE001 - handed to who takes the thing
            self._fault = fault
