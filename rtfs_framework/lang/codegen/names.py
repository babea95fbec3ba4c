"""Python names for RTFS names. Top-level names are mapped one to one; local names only hint at their origin."""

from __future__ import annotations

import re
from functools import lru_cache

_UNSAFE = re.compile(r"[^A-Za-z0-9]")
_HINT = re.compile(r"[^A-Za-z0-9]+")


@lru_cache(maxsize=4096)
def mangle(prefix: str, name: str) -> str:
    """Return a Python identifier that stands for exactly one RTFS name under a prefix."""
    return prefix + _UNSAFE.sub(lambda match: f"_{ord(match.group()):x}_", name)


@lru_cache(maxsize=4096)
def hint(name: str) -> str:
    """Return the readable beginning of a numbered local name. It never holds two underscores in a row."""
    readable = _HINT.sub("_", name).strip("_")
    return readable if readable[:1].isalpha() else f"v{readable}"
