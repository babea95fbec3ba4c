"""Check one value against one type; for many values compile the type once (`compile_check.checker`)."""

from __future__ import annotations

from rtfs_framework.lang.annotations import Any
from rtfs_framework.lang.types.compile_check import checker
from rtfs_framework.lang.types.model import Type
from rtfs_framework.lang.types.names import Lookup, no_names


def violation(type_: Type, value: Any, lookup: Lookup = no_names) -> str | None:
    """Return None when the value fits, else the message after "Type validation error: " (LANGUAGE.md 12.5)."""
    return checker(type_, lookup)(value)
