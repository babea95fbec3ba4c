"""All special forms: importing this module loads every family."""

from __future__ import annotations

from rtfs_framework.lang.analyzer.specials import (  # noqa: F401 - imported for the entries they make
    binding,
    control,
    declassifying,
    definitions,
    functions,
    host,
    iteration,
    matching,
    modules,
    objects,
    steps,
    streams,
    ticketing,
    trying,
)
from rtfs_framework.lang.analyzer.specials.record import SPECIALS

__all__ = ["SPECIALS"]
