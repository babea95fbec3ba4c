"""Options that bound a run (`--max-steps`, ...) or its text (`--max-nesting`), and the way out of a limit."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import attrs
import click

from rtfs_framework.api.units import duration, size
from rtfs_framework.lang.meter import MOST_NESTING

if TYPE_CHECKING:
    from rtfs_framework.kernel.limits import Limits
    from rtfs_framework.lang.errors import LimitError

F = TypeVar("F", bound=Callable[..., Any])

OFF = "off"
_MOST = 1e15
"""As in the file (`config/tables/file.py`)."""


class _Bound(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    """A number, or "off"; with `units`, a text with its unit too, as in delegation.toml."""

    name = "bound"

    def __init__(self, kind: type[int | float], least: float, units: tuple[Units, str] | None = None) -> None:
        self._kind = kind
        self._least = least
        self._units: Units | None = units[0] if units else None
        self._what = units[1] if units else "a number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the number, or "off"."""
        text = str(value).strip()
        if text.lower() == OFF:
            return OFF
        number = self._number(text)
        if number is None:
            self.fail(f"{text!r} is neither {self._what} nor off", param, ctx)
        if not self._least <= number <= _MOST:
            self.fail(f"it must be at least {self._least:g} and at most {_MOST:g}, or off", param, ctx)
        return number

    def _number(self, text: str) -> float | None:
        try:
            return self._kind(text)
        except ValueError:
            return None if self._units is None else self._units(text)


Units = Callable[[str], "float | None"]
_SIZE = size, "a size (1048576, 512M, 2G)"
_TIME = duration, "a time (seconds, 500ms, 2 min)"
_OPTIONS: tuple[tuple[str, str, str, _Bound, str], ...] = (
    ("--max-steps", "steps", "N", _Bound(int, 1), "Stop after N steps."),
    (
        "--timeout",
        "seconds",
        "TIME",
        _Bound(float, 0.0, _TIME),
        "Stop after TIME (20, 2min), waiting for models included.",
    ),
    ("--max-memory", "memory", "SIZE", _Bound(int, 1 << 20, _SIZE), "Stop when the values take SIZE (512M, 2G)."),
    ("--max-depth", "depth", "N", _Bound(int, 1), "Nest at most N calls."),
)
_NESTING = click.IntRange(1, MOST_NESTING)
_FLAGS = {field: flag for flag, field, *_ in _OPTIONS}
_FIELDS = {"integer-bits": "bits"}
_DIMENSIONS = frozenset({"steps", "seconds", "memory", "depth", "items", "bits", "output", "host_calls"})


def limit_options(function: F) -> F:
    """Add the options of limits; each takes "off"."""
    for flag, field, metavar, kind, text in reversed(_OPTIONS):
        function = click.option(flag, f"limit_{field}", metavar=metavar, type=kind, help=text)(function)
    return nesting_option("limit_nesting")(function)


def nesting_option(name: str = "nesting") -> Callable[[F], F]:
    """Add `--max-nesting`, for commands that read programs."""
    text = f"Read brackets N levels deep (1 to {MOST_NESTING}; default 200)."
    return click.option("--max-nesting", name, metavar="N", type=_NESTING, help=text)


def nesting_limit(asked: int | None) -> dict[str, Any]:
    """Return the limits that `--max-nesting` asks for."""
    return {} if asked is None else {"nesting": asked}


def nesting_for(program: str | None, asked: int | None) -> int:
    """Return how deep a program may nest: as asked, else as the configuration that counts for it says."""
    if asked is not None:
        return asked
    from rtfs_framework.orchestrator.config.nesting import configured_nesting

    return configured_nesting(None if program in {None, "-"} else Path(str(program)).parent, os.environ)


def chosen(options: dict[str, Any]) -> dict[str, Any]:
    """Return the limits that were asked for on the command line, taken out of a command's options."""
    given = {name: options.pop(name) for name in list(options) if name.startswith("limit_")}
    found = {name.removeprefix("limit_"): value for name, value in given.items() if value is not None}
    return {name: None if value == OFF else value for name, value in found.items()}


def said_limits(options: dict[str, Any]) -> list[str]:
    """Return the options of limits that were given, without their dashes."""
    flags = {f"limit_{field}": flag.removeprefix("--") for flag, field, *_ in _OPTIONS}
    flags["limit_nesting"] = "max-nesting"
    return [flag for name, flag in flags.items() if options.get(name) is not None]


def with_chosen(limits: Limits, asked: dict[str, Any]) -> Limits:
    """Return limits with those changed that were asked for."""
    return attrs.evolve(limits, **asked) if asked else limits


def way_out(error: LimitError) -> str:
    """Return how the limit that ended a run is raised."""
    field = _FIELDS.get(error.dimension, error.dimension)
    if field not in _DIMENSIONS:
        return "the host bounds every run; make the program do less at once"
    flag = f"{_FLAGS[field]}, or " if field in _FLAGS else ""
    return f"make the program do less, or raise the limit: {flag}{field} in [limits] of delegation.toml"
