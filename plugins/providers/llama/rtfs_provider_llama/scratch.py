"""The child's folder: made for one child, removed with it. One that was left behind by a host that was killed is swept.

A child holds a lock in its folder as long as it lives, however it ends; who gets that lock knows that nobody is there.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from contextlib import suppress
from pathlib import Path

_PREFIX = "rtfs-llama-"
_LOCK = "lock"
_OLD = 3600.0
"""Seconds after which a folder may be swept: its child has long taken the lock, if it ever will."""


def make() -> str:
    """Return a new folder that nobody else can look into; sweep what others left behind."""
    folder = Path(tempfile.gettempdir())
    with suppress(OSError):
        for found in folder.glob(f"{_PREFIX}*"):
            with suppress(OSError):
                if time.time() - found.stat().st_mtime > _OLD and _abandoned(found):
                    remove(str(found))
    return tempfile.mkdtemp(prefix=_PREFIX)


def hold(scratch: str) -> int:
    """Take the lock of a folder until this process ends; return the open file."""
    lock = os.open(Path(scratch, _LOCK), os.O_CREAT | os.O_RDWR, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return lock


def remove(scratch: str) -> None:
    """Remove a folder with all that is in it."""
    shutil.rmtree(scratch, ignore_errors=True)


def _abandoned(found: Path) -> bool:
    """Tell whether a folder is ours and no process holds it."""
    if found.is_symlink() or found.stat().st_uid != os.getuid():
        return False
    try:
        lock = hold(str(found))
    except BlockingIOError:
        return False
    os.close(lock)
    return True
