"""Colour for reports: added always, taken off again by click where the stream is no terminal. NO_COLOR is obeyed."""

from __future__ import annotations

import os
import re
from typing import Any

import click

_HEAD = re.compile(r"\b(error|warning|hint)(\[[A-Z]\d{4}\])")
_CARETS = re.compile(r"^(\s+\| *)(\^+)$")
_COLOURS = {"error": "red", "warning": "yellow", "hint": "cyan"}


def coloured(report: str) -> str:
    """Return a rendered report with its severity, carets and way out in colour."""
    return "\n".join(map(_line, report.split("\n")))


def colour_for(stream: Any) -> bool | None:
    """Return what click is to do with colour: False for never, None for only on a terminal."""
    if os.environ.get("NO_COLOR"):
        return False
    return True if os.environ.get("FORCE_COLOR") else None if stream is not None else False


def _line(line: str) -> str:
    if line.startswith("  help: "):
        return f"  {click.style('help:', fg='green', bold=True)} {line.removeprefix('  help: ')}"
    carets = _CARETS.match(line)
    if carets:
        return f"{carets[1]}{click.style(carets[2], fg='red', bold=True)}"
    return _HEAD.sub(lambda found: click.style(found[0], fg=_COLOURS[found[1]], bold=True), line, count=1)
