"""Locks that no thread holds while a process is forked off: so the child finds them free, and what they guard whole.

A child has the thread that forked it and no other, but every lock as it was: one that another thread held is held for
good. SQLite is of this kind, too: its own locks cannot be seen from here, so whoever uses a connection holds one of
these. A fork waits for them, but no longer than `PATIENCE`.
"""

from __future__ import annotations

import os
from threading import Lock
from time import monotonic
from typing import Any, TypeVar
from weakref import WeakSet

PATIENCE = 2.0
"""Seconds for which a fork waits for all of them: one of its own thread never comes free."""

_guard = Lock()
"""Of the set; held while a process is forked off."""
_LOCKS: WeakSet[Any] = WeakSet()
_held: list[Any] = []
_left: list[Any] = []

_Lock = TypeVar("_Lock")


def free_at_forks(lock: _Lock) -> _Lock:
    """Return a lock (`threading.Lock` or `RLock`) that a child of this process will find free."""
    with _guard:
        _LOCKS.add(lock)
    return lock


def leave(thing: object) -> None:
    """Never finalize what is the parent's, in a child: SQLite would close what the parent uses."""
    _left.append(thing)


def _before() -> None:
    """Take all of them.

    Who holds some of them and waits for another may be waiting for one who waits for him. So one alone is waited for,
    with none held, and the others must be free then; else it all begins again with the one that was not (as `std::lock`
    of C++ does).
    """
    _guard.acquire()  # by others it is held for moments
    locks, until = list(_LOCKS), monotonic() + PATIENCE
    while (taken := _taken(locks, until)) < len(locks):
        if monotonic() >= until:
            _held.extend(each for each in locks[taken + 1 :] if each.acquire(blocking=False))
            return
        _release()
        locks.insert(0, locks.pop(taken))


def _taken(locks: list[Any], until: float) -> int:
    """Take locks, the first with patience, up to one that is not free; return how many."""
    for place, lock in enumerate(locks):
        if not (lock.acquire(blocking=False) if place else lock.acquire(timeout=max(0.0, until - monotonic()))):
            return place
        _held.append(lock)
    return len(locks)


def _release() -> None:
    while _held:
        _held.pop().release()


def _after() -> None:
    _release()
    _guard.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before, after_in_parent=_after, after_in_child=_after)
