"""`format`: a small language of directives, `%[flags][width][.places]kind`, read here and nowhere else.

Kinds: `s` any value as `str` shows it, `d` an integer, `f` and `e` a number with six places unless said, `x` and `X` an
integer in base 16, `%` a percent sign. Flags: `-` left, `0` zeros, `+` sign, `,` thousands. Values are never asked for
attributes or items, so that a template cannot reach into them.
"""

from __future__ import annotations

import math
import re
from typing import Any

from rtfs_framework.lang.errors import invalid_argument
from rtfs_framework.lang.meter import meter, room_for_text
from rtfs_framework.lang.printer import display, write_float
from rtfs_framework.stdlib.arithmetic import to_float
from rtfs_framework.stdlib.check import integer, string
from rtfs_framework.stdlib.table import builtin

_DIRECTIVE = re.compile(r"%([-+0,]*)([0-9]{0,4})(?:\.([0-9]{1,2}))?(.?)", re.DOTALL)
_ACCEPTED = "a directive of format is %[-+0,][width][.places] and one of s d f e x X %"
_DEFAULT_PLACES = 6


@builtin(
    "format",
    ('(format "%s is %d years, %.2f m" "Ada" 36 1.7)', '"Ada is 36 years, 1.70 m"'),
    ('(format "%5d|%-5s|%x|%%" 42 "ab" 255)', '"   42|ab   |ff|%"'),
    ('(format "%,d" 1234567)', '"1,234,567"'),
    ('(format "%d" "x")', "!TypeError"),
    ('(format "%q" 1)', "!InvalidArgument"),
    doc="Fill the directives of a template (%s %d %f %.2f %e %x %%) with values.",
)
def format_text(template: Any, *values: Any) -> str:
    text = string("format", template)
    out: list[str] = []
    done = used = 0
    for found in _DIRECTIVE.finditer(text):
        out.append(text[done : found.start()])
        done = found.end()
        flags, width, places, kind = found.groups()
        if kind not in _KINDS:
            raise invalid_argument(f"{_ACCEPTED}, not {found.group()}")
        if kind == "%":
            out.append("%")
            continue
        if used == len(values):
            raise invalid_argument(f"format has more directives than its {len(values)} values")
        out.append(_laid_out(_shown(kind, values[used], flags, places), flags, int(width or 0), kind))
        used += 1
    out.append(text[done:])
    room_for_text("format", sum(map(len, out)))
    return "".join(out)


_KINDS = frozenset("sdfexX%")


def _shown(kind: str, value: Any, flags: str, places: str | None) -> str:
    """Return the text of one value before it is laid out."""
    if kind == "s":
        text = display(value, meter().items)
        return text if places is None else text[: int(places)]
    sign = "+" if "+" in flags else ""
    if kind in {"x", "X"}:
        return f"{integer('format', value):{sign}{kind}}"
    group = "," if "," in flags else ""
    if kind == "d":
        return _decimal(integer("format", value), sign, group)
    number = to_float("format", value)
    if not math.isfinite(number):
        return write_float(number)
    return f"{number:{sign}{group if kind == 'f' else ''}.{_DEFAULT_PLACES if places is None else int(places)}{kind}}"


def _decimal(value: int, sign: str, group: str) -> str:
    try:
        return f"{value:{sign}{group}d}"
    except ValueError:  # Python does not print integers of more than 4300 digits
        return display(value)


def _laid_out(text: str, flags: str, width: int, kind: str) -> str:
    if "-" in flags:
        return text.ljust(width)
    if "0" in flags and kind != "s" and text[-1:].isalnum() and not text.startswith("#"):
        return text.zfill(width)
    return text.rjust(width)
