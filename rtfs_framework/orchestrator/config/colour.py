"""Whether a stream gets colour: decided here for stdout and stderr, for reports as for the log."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:  # importing `typing` takes longer than all that is done here
    from typing import Any


def is_terminal(stream: Any) -> bool:
    """Tell whether a stream is a terminal; one that is closed is none."""
    try:
        return bool(stream.isatty())
    except (AttributeError, OSError, ValueError):
        return False


def colour_for(stream: Any) -> bool:
    """Tell whether a stream gets colour: NO_COLOR says no, FORCE_COLOR yes, else a terminal that is not dumb does."""
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or (is_terminal(stream) and os.environ.get("TERM") != "dumb")
