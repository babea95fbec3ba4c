"""RTFS's own library, for plug-ins whose functions mean what the library's do, errors included."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rtfs_framework.lang.visible import visible, visible_line

__all__ = ["library", "visible", "visible_line"]


def library(name: str) -> Callable[..., Any]:
    """Return a function of the library by the name that programs write (`+`, `parse-json`).

    It raises `ProgramError`s as it does in programs. No run's limits hold where a plug-in calls it: who hands it what a
    program gave minds what it may make of it.

    Raises:
        KeyError: There is no such function.
    """
    from rtfs_framework.stdlib.library import BUILTINS

    found: Callable[..., Any] = BUILTINS[name].function
    return found
