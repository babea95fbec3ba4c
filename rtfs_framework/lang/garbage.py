"""Compiling without garbage collection.

Forms, IR and trees are many and hold no cycles, so looking through them again and again finds nothing. It made reading
a large program twice as slow, and its time grow faster than its size.
"""

from __future__ import annotations

import gc
from contextlib import contextmanager

from rtfs_framework.lang.annotations import Iterator


@contextmanager
def no_collection() -> Iterator[None]:
    """Leave cyclic garbage alone meanwhile; reference counting goes on as ever."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
