"""Processes that a server has started and that left its process group (`setsid`, double forks): found and ended.

A server is started with a variable of its own (`MARK`), which what it starts inherits whatever session or parent that
has. On Linux, `/proc` tells the variables of all processes of this user. A process is held by a descriptor (pidfd)
before it is looked at, so none that took over its number is ever hit. Who clears its variables is not found.
"""

from __future__ import annotations

import os
import secrets
import signal
import sys
from contextlib import suppress
from pathlib import Path

MARK = "RTFS_MCP_SERVER"
"""The variable, of every server."""
_ROUNDS = 10
"""Looks, at most: what is found may start others before it is ended."""


def token() -> str:
    """Return the value of the variable for one server."""
    return secrets.token_hex(16)


def end_all(value: str) -> int:
    """End all processes that have this value; return how many. Elsewhere than on Linux none is found."""
    if sys.platform != "linux":
        return 0
    ended, wanted = 0, f"{MARK}={value}".encode()
    for _ in range(_ROUNDS):
        found = sum(_end(int(each.name), wanted) for each in Path("/proc").iterdir() if each.name.isdigit())
        ended += found
        if not found:
            break
    return ended


def _end(pid: int, wanted: bytes) -> bool:
    """End a process that has the variable; tell whether it had."""
    if pid == os.getpid() or wanted not in _variables(pid):
        return False
    with suppress(OSError):  # it ended meanwhile, or is another user's
        held = os.pidfd_open(pid)
        try:
            if wanted in _variables(pid):
                signal.pidfd_send_signal(held, signal.SIGKILL)
                return True
        finally:
            os.close(held)
    return False


def _variables(pid: int) -> list[bytes]:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return []
