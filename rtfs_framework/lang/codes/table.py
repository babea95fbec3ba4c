"""The whole table: importing this module loads every family."""

from __future__ import annotations

from rtfs_framework.lang.codes import (  # noqa: F401 - imported for the entries they make
    forms,
    hosts,
    reading,
    running,
    tools,
    types,
)
from rtfs_framework.lang.codes.record import CODES, Code

__all__ = ["CODES", "Code"]
