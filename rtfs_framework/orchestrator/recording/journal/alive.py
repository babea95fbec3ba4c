"""Which runs a process of this machine is at: a lock for each in one file, which the system gives back when it dies.

A run that is under way must not be gone on with by anybody else. Each run is one byte of the file `running.lock` beside
the journal's key: POSIX locks of ranges belong to a process and end with it, however it ends, and cost no file for each
run. They say nothing about threads of one process, so that is kept here. Where the system has no such locks (Windows)
only runs of the same process are known.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path

FILE = "running.lock"
_DIGITS = 15
"""Of a run's id: sixty bits, so that no two runs share a byte."""

_one = threading.Lock()
_files: dict[str, int] = {}
"""Descriptors by path: closing any of a file gives all of its locks back, so one is kept for each and never closed."""
_held: set[tuple[str, str]] = set()
_process = os.getpid()


def hold(home: Path, run: str) -> bool:
    """Say that this process is at a run; False where another one is, or another session of this one."""
    key = (str(home), run)
    with _one:
        _forget_parents()
        if key in _held:
            return False
        if not _locked(key[0], _byte(run)):
            return False
        _held.add(key)
        return True


def release(home: Path, run: str) -> None:
    """Say that this process is not at a run any more."""
    key = (str(home), run)
    with _one:
        _forget_parents()
        if key in _held:
            _held.discard(key)
            _unlocked(key[0], _byte(run))


def _byte(run: str) -> int:
    try:
        return int(run[:_DIGITS], 16)
    except ValueError:
        return 0


def _forget_parents() -> None:
    """In a child that was forked off: the locks are the parent's, and stay its own."""
    global _process  # noqa: PLW0603 - of the process
    if _process != os.getpid():
        _process = os.getpid()
        _held.clear()
        _files.clear()


def _locked(home: str, byte: int) -> bool:
    """Lock a byte; True too where that cannot be done at all."""
    try:
        import fcntl
    except ImportError:
        return True
    try:
        descriptor = _files.get(home)
        if descriptor is None:
            path = Path(home) / FILE
            flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0)
            descriptor = _files[home] = os.open(path, flags, 0o600)
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, byte)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def _unlocked(home: str, byte: int) -> None:
    try:
        import fcntl

        fcntl.lockf(_files[home], fcntl.LOCK_UN, 1, byte)
    except (ImportError, KeyError, OSError):
        return
