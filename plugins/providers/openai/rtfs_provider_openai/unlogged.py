"""Importing the vendor's client without its log: when imported, it reads OPENAI_LOG of the process and sets loggers up.

What it would log holds prompts, and the process's environment is not the session's. In: nothing. Out: a context in
which the variable is not there; afterwards it is what it was. No other way is open: the client reads it only then.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

_VARIABLE = "OPENAI_LOG"


@contextmanager
def unlogged() -> Iterator[None]:
    """Hide the variable while this lasts."""
    value = os.environ.pop(_VARIABLE, None)
    try:
        yield
    finally:
        if value is not None:
            os.environ[_VARIABLE] = value
