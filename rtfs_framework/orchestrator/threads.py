"""Worker threads for plugins that wait without being asynchronous. A call that is cancelled or late is left behind.

Its thread ends when the plugin's function returns; until then it counts, so a plugin that hangs cannot pile threads up.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anyio
import anyio.to_thread
from anyio.lowlevel import RunVar

_LIMITER: RunVar[anyio.CapacityLimiter] = RunVar("rtfs_framework threads")


async def in_thread(most: int, function: Callable[..., Any], *args: Any) -> Any:
    """Return what a function returns, called in one of at most `most` threads."""
    limiter = _LIMITER.get(None)
    if limiter is None:
        limiter = anyio.CapacityLimiter(most)
        _LIMITER.set(limiter)
    return await anyio.to_thread.run_sync(function, *args, abandon_on_cancel=True, limiter=limiter)
