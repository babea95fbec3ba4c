"""Options that are durations or sizes: `90d`, `1GiB`."""

from __future__ import annotations

from typing import Any

import click

from rtfs_framework.api.units import duration, size


class Ago(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    """A duration; its value is in seconds."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the seconds that a text stands for."""
        found = value if isinstance(value, float) else duration(str(value))
        if found is None:
            self.fail(f"{str(value)!r} is no duration such as 90d, 12h or 30 min", param, ctx)
        return found


class Size(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    """A size; its value is in bytes."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the bytes that a text stands for."""
        found = value if isinstance(value, int) else size(str(value))
        if found is None:
            self.fail(f"{str(value)!r} is no size such as 500MB or 1GiB", param, ctx)
        return found
