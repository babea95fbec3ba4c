"""All that generated code has of Python's builtins."""

from __future__ import annotations

import gc

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def _import(name: str, *_how: Any) -> Any:
    """Give greenlet the one module that it asks for in whatever code runs when another thread has ended."""
    if name == "gc":
        return gc
    raise ImportError(name)


PYTHON: dict[str, Any] = {
    "bool": bool,
    "int": int,
    "float": float,
    "str": str,
    "len": len,
    "tuple": tuple,
    "range": range,
    "Exception": Exception,
    "__import__": _import,
}
"""Generated code cannot name the last one: its names are mangled."""
