"""For which versions of the plugin API a plugin was written: a number, or a range such as `>=2,<4`.

A host serves the versions from `OLDEST_API_VERSION` to `API_VERSION`. A plugin fits if one of them is among its own.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping

from rtfs_framework.api import API_VERSION, OLDEST_API_VERSION

NAMES = ("rtfs_requires_api", "rtfs_api_version")
"""The attributes of a plugin's module that say it; the first that is there counts."""

_PART = re.compile(r"\s*(>=|<=|==|!=|>|<)\s*(\d{1,4})\s*")
_COMPARE: Mapping[str, Callable[[int, int], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
}
_MOST = 10_000
"""Versions beyond this are never looked at."""


class NoRangeError(ValueError):
    """What a plugin says is neither a version nor a range."""


def fits(said: object) -> bool:
    """Tell whether this host serves a version that a plugin was written for.

    Raises:
        NoRangeError: `said` is no number, and no text of comparisons that commas join (">=2,<4").
    """
    return any(map(_test(said), range(OLDEST_API_VERSION, API_VERSION + 1)))


def is_newer(said: object) -> bool:
    """Tell whether all versions that a plugin was written for come after those of this host."""
    wanted = _test(said)
    return not any(map(wanted, range(API_VERSION + 1))) and any(map(wanted, range(API_VERSION + 1, _MOST)))


def served() -> str:
    """Return the versions that this host serves, in words."""
    return f"{OLDEST_API_VERSION} to {API_VERSION}" if OLDEST_API_VERSION < API_VERSION else str(API_VERSION)


def _test(said: object) -> Callable[[int], bool]:
    if said.__class__ is int:
        return lambda version: version == said
    parts = [_PART.fullmatch(part) for part in said.split(",")] if isinstance(said, str) else [None]
    found = [part.groups() for part in parts if part is not None]
    if len(found) < len(parts):
        raise NoRangeError(
            f"{said!r:.60} is neither a version nor a range such as '>={API_VERSION},<{API_VERSION + 1}'"
        )
    return lambda version: all(_COMPARE[sign](version, int(number)) for sign, number in found)
