"""Bounds of the child: what it may take, what it leaves behind when it ends, and that it ends with its parent.

`RLIMIT_DATA` bounds what the process allocates. The model's file is mapped and not counted, so the bound is about
contexts, buffers and leaks; an address-space bound would count the file, every library and the stacks of idle threads.
"""

from __future__ import annotations

import fcntl
import os
import resource
import signal
import threading
import time
from contextlib import suppress

_LARGEST_FILE = 64 * 1024 * 1024
"""Bytes that the child may write to any one file: its messages, should a library chatter."""
_LOOK = 1.0


def bound(memory: int) -> None:
    """Bound what this process may allocate and write; a crash leaves no image of its memory on disk."""
    bounds = {resource.RLIMIT_DATA: memory, resource.RLIMIT_FSIZE: _LARGEST_FILE, resource.RLIMIT_CORE: 0}
    for what, wanted in bounds.items():
        _, hard = resource.getrlimit(what)
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        with suppress(ValueError, OSError):  # macOS takes some of them only where it likes
            resource.setrlimit(what, (most, most))


def end_with(parent: int, lifeline: int) -> None:
    """End this process when its parent does, however that ends and whatever this process is doing.

    The parent holds the other end of the pipe `lifeline` and never writes. When it is gone the kernel sends SIGIO,
    whose default is to end the process: no thread of Python's has to run for it, so a library that never returns does
    not keep the child alive. A thread looks at the parent, too: forks of it may hold the pipe open.
    """
    signal.signal(signal.SIGIO, signal.SIG_DFL)
    fcntl.fcntl(lifeline, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(lifeline, fcntl.F_SETFL, fcntl.fcntl(lifeline, fcntl.F_GETFL) | os.O_ASYNC | os.O_NONBLOCK)
    try:
        gone = os.read(lifeline, 1) == b""
    except BlockingIOError:
        gone = False
    if gone or os.getppid() != parent:
        os._exit(0)
    threading.Thread(target=_look_at, args=(parent,), name="parent", daemon=True).start()


def _look_at(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_LOOK)
    os._exit(0)
