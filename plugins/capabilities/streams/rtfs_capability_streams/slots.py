"""How many items of a batch that was fetched ahead its reader was given, where others may read the same stream.

In: a batch's name (`token_of`) and how many of its items are given. Out: whether they still are its reader's. A stream
with a name has a slot in a file beside the streams' file, which says whose batch is out, how many of its items its
program was given, and whether somebody else has read on. A slot is looked at and changed under one lock of the file,
which the system gives back when a process dies: so an item is its reader's, or goes to who comes next, and never both.
Giving one takes four system calls and no transaction. A slot knows two batches, for the transaction that fetches the
second may fail. Where the system has no such locks (Windows) there are no slots: such streams are read item by item.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import attrs

from rtfs_framework.api import CapabilityError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

_SLOT = struct.Struct("<16sqq")
"""A digest of a batch's name, how many of its items were given, and whether no more are: a half of a slot."""
_NONE = bytes(16)


def token_of(n: int, key: str) -> str:
    """Return the name of a batch: the number of its stream, and a digest of the key of the call that fetched it."""
    return f"{n}:{hashlib.sha256((key or secrets.token_hex(16)).encode()).hexdigest()[:32]}"


class BusyError(Exception):
    """Somebody else is at the file just now."""


@attrs.frozen(slots=True)
class Slot:
    """What is known of the batch that was fetched last from a stream."""

    given: int
    over: bool
    """Whether no more of it is given."""


@attrs.define(slots=True, eq=False)
class Slots:
    """The slots of one file, which the first use makes; any thread may use them."""

    path: Path
    _file: int = attrs.field(default=-1, init=False)
    _process: int = attrs.field(default=0, init=False)
    _one: threading.Lock = attrs.field(factory=threading.Lock, init=False)

    @property
    def usable(self) -> bool:
        """Whether the system has what they need."""
        return fcntl is not None

    def close(self) -> None:
        """Let go of the file; a later use opens it again."""
        with self._one:
            if self._file >= 0:
                os.close(self._file)
            self._file = -1

    def lend(self, token: str, before: str = "") -> None:
        """Say that a batch is out, and its first item is given; what is known of this one and the one before stays."""
        with self._held(token) as (file, name, place):
            found, known = _at(file, name, place)
            if known is None:
                old = bytes.fromhex(before.partition(":")[2]) or _NONE
                found = place + _SLOT.size if _named(file, place) == old else place
            _put(file, name, found, Slot(1 if known is None else known.given, over=False))

    def take(self, token: str, count: int, *, wait: bool = True) -> Slot | None:
        """Give so many items of a batch in all, if they are its reader's; return what is known then.

        None where other batches of the stream were fetched since.

        Raises:
            BusyError: Somebody else is at the file, and who asks does not wait.
            CapabilityError: The file cannot be used.
        """
        with self._held(token, wait=wait) as (file, name, place):
            found, known = _at(file, name, place)
            if known is not None and not known.over and count > known.given:
                known = Slot(count, over=False)
                _put(file, name, found, known)
            return known

    def end(self, token: str) -> int | None:
        """Let no more of a batch be given; return how many items were, None as above."""
        with self._held(token) as (file, name, place):
            found, known = _at(file, name, place)
            if known is not None and not known.over:
                _put(file, name, found, Slot(known.given, over=True))
            return None if known is None else known.given

    @contextmanager
    def _held(self, token: str, *, wait: bool = True) -> Iterator[tuple[int, bytes, int]]:
        """Lock the file; yield it with a batch's digest and the place of its slot."""
        n, _, name = token.partition(":")
        if not self._one.acquire(blocking=wait):
            raise BusyError
        try:
            if self._file < 0 or self._process != os.getpid():  # what was open at a fork shares its parent's lock
                self._file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
                self._process = os.getpid()
            fcntl.flock(self._file, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
            try:
                yield self._file, bytes.fromhex(name), int(n) * 2 * _SLOT.size
            finally:
                fcntl.flock(self._file, fcntl.LOCK_UN)
        except BlockingIOError:
            raise BusyError from None
        except OSError as error:
            raise CapabilityError(f"{self.path}: {error.strerror or error}", "StorageError") from error
        finally:
            self._one.release()


def _at(file: int, name: bytes, place: int) -> tuple[int, Slot | None]:
    """Return the half of a slot that is a batch's, and what it says."""
    text = os.pread(file, 2 * _SLOT.size, place)
    for start in range(0, len(text) - _SLOT.size + 1, _SLOT.size):
        if text.startswith(name, start):
            _, given, over = _SLOT.unpack_from(text, start)
            return place + start, Slot(given, over=bool(over))
    return place, None


def _named(file: int, place: int) -> bytes:
    return os.pread(file, len(_NONE), place) or _NONE


def _put(file: int, name: bytes, place: int, slot: Slot) -> None:
    os.pwrite(file, _SLOT.pack(name, slot.given, slot.over), place)
