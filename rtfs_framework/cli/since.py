"""`--since`: how far back, as a duration (`7d`, `24h`, `90 min`) or as a date (`2026-11-01`, also with a time)."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any

import click

from rtfs_framework.api.units import duration


class Since(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    """The type of the option; its value is a time in seconds since the epoch."""

    name = "when"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the time that a text stands for, seen from now."""
        if isinstance(value, float):
            return value
        text = str(value)
        ago = duration(text)
        if ago is not None:
            return time.time() - ago
        try:
            return datetime.fromisoformat(text).astimezone().timestamp()
        except (ValueError, OverflowError, OSError):
            self.fail(f"{text!r} is neither a duration such as 7d or 24h nor a date such as 2026-11-01", param, ctx)
