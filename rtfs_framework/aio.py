"""The same words, to be awaited: `from rtfs_framework import aio as rtfs`, and `await rtfs.run(...)`.

A module of its own, and not a second name for each function: a program says once, where it imports, that it lives in an
event loop; type checkers then see coroutines everywhere, and nobody calls the wrong one by mistake. Nothing here holds
the loop up. (`@delegated` needs no twin: an `async def` function stays one.)
"""

from __future__ import annotations

from rtfs_framework.front.aio_session import Program, Session, run
from rtfs_framework.front.delegated import delegated
from rtfs_framework.front.session import use

__all__ = ["Program", "Session", "delegated", "run", "use"]
