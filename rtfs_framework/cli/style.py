"""The few styles that are used. Whether a stream gets them is decided in `orchestrator/config/colour.py`.

Colour is added where it is wanted and never taken out of finished text. Text of others is made visible before it is
styled, so every escape sequence that a terminal sees is ours.
"""

from __future__ import annotations

import re

from rtfs_framework.lang import records
from rtfs_framework.lang.visible import visible, visible_line

_HEAD = re.compile(r"\b(error|warning|hint)(\[[A-Z]\d{4}\])")
_CARETS = re.compile(r"^(\s+\| *)(\^+)$")
_COLOURS = {"error": "red", "warning": "yellow", "hint": "cyan"}
_CODES = {"red": 31, "green": 32, "yellow": 33, "cyan": 36}
"""The colours that are used, by their numbers in ECMA-48 (SGR). `click.style` writes the same, but click is large."""
_BOLD = 1


@records.frozen()
class Styled:
    """A part of a line with a colour or in bold."""

    text: str
    colour: str | None = None
    bold: bool = False


Part = str | Styled


def bold(text: str) -> Styled:
    """Return a part in bold."""
    return Styled(text, bold=True)


def yellow(text: str) -> Styled:
    """Return a part that warns."""
    return Styled(text, "yellow")


def red(text: str) -> Styled:
    """Return a part that tells a failure."""
    return Styled(text, "red")


def line_of(parts: tuple[Part, ...], *, colour: bool) -> str:
    """Return parts as one line fit to be seen."""
    return "".join(_part(part, colour=colour) for part in parts)


def report_of(text: str, *, colour: bool) -> str:
    """Return a rendered report fit to be seen, with its severity, carets and way out in colour if that is wanted."""
    seen = visible(text)
    return "\n".join(map(_coloured, seen.split("\n"))) if colour else seen


def _part(part: Part, *, colour: bool) -> str:
    if isinstance(part, str):
        return visible_line(part)
    text = visible_line(part.text)
    return styled(text, part.colour, bold=part.bold) if colour else text


def styled(text: str, colour: str | None = None, *, bold: bool = False) -> str:
    """Return a visible text in a colour, or in bold, or both, until its end."""
    codes = [*([_CODES[colour]] if colour else ()), *([_BOLD] if bold else ())]
    return "".join(f"\x1b[{code}m" for code in codes) + text + "\x1b[0m"


def _coloured(line: str) -> str:
    if line.startswith("  help: "):
        return f"  {styled('help:', 'green', bold=True)} {line.removeprefix('  help: ')}"
    carets = _CARETS.match(line)
    if carets:
        return f"{carets[1]}{styled(carets[2], 'red', bold=True)}"
    return _HEAD.sub(lambda found: styled(found[0], _COLOURS[found[1]], bold=True), line, count=1)
