"""Who makes a reply, among the processes that share a folder: locks of the operating system, by the library filelock.

In: where a reply will lie. Out: the right to ask for it, or None while another has it. The system frees a lock when its
holder's process ends, however that ends. Beside each lock stands whose it is and until when: a holder that takes longer
than its lease (one that was stopped, say) has lost its right, and another reply whose lock is the same by chance is not
waited for. Where a file system knows no locks, everybody has the right: then equal requests of two processes may both
be paid, as without this.
"""

from __future__ import annotations

from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from filelock import FileLock, Timeout

from rtfs_cache_l2.rows import Slot
from rtfs_framework.api import Claim, private_file, private_folder

_LETTERS = 3
"""Of a digest: there are at most 16^3 locks."""
_MOST = 200
"""Bytes of what stands beside a lock."""


class _Free:
    """The right to what nobody keeps from anybody."""

    def release(self) -> None:
        """Do nothing."""


class _Held:
    """A lock that this process holds."""

    def __init__(self, lock: FileLock) -> None:
        self._lock = lock

    def release(self) -> None:
        """Free the lock."""
        with suppress(OSError):
            self._lock.release()


FREE = _Free()


class Claims:
    """The locks of one folder, which is made when the first is taken; without one, nobody is kept from anything."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._made = False

    def take(self, slot: Slot, now: float, lease: float) -> Claim | None:
        """Take the right to make what will lie there for `lease` seconds; None while another has it."""
        if self._folder is None:
            return FREE
        try:
            if not self._made:
                private_folder(self._folder)
                self._made = True
            return self._taken(self._folder / f"{_bucket(slot)}.lock", slot, now, lease)
        except (OSError, NotImplementedError):
            return FREE

    def _taken(self, path: Path, slot: Slot, now: float, lease: float) -> Claim | None:
        whose = path.with_suffix(".whose")
        lock = FileLock(path, timeout=0, mode=0o600, thread_local=False)
        try:
            lock.acquire()
        except Timeout:
            who, until = _read(whose)
            if who not in ("", slot[1]):
                return FREE
            if now < until:
                return None
            _write(whose, slot, now + lease)  # the holder has lost it; it is this one's now, as long as a lease
            return FREE
        held = _Held(lock)
        try:
            _write(whose, slot, now + lease)
        except BaseException:
            held.release()
            raise
        return held


def _bucket(slot: Slot) -> str:
    """Return which lock counts: by a digest of the key, which may be any text."""
    return sha256("\0".join(slot).encode("utf-8", "surrogatepass")).hexdigest()[:_LETTERS]


def _write(path: Path, slot: Slot, until: float) -> None:
    private_file(path)
    path.write_text(f"{slot[1]} {until!r}\n", encoding="ascii", errors="replace")


def _read(path: Path) -> tuple[str, float]:
    """Return whose a lock is, and until when; nobody's yet, and for a while, where that is being written."""
    try:
        with path.open(encoding="ascii", errors="replace") as file:
            who, until = file.read(_MOST).split()
        return who, float(until)
    except (FileNotFoundError, ValueError):
        return "", float("inf")
