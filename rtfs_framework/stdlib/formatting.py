"""`format`: a small language of directives, `%[flags][width][.places]kind`, read here and nowhere else.

Kinds: `s` any value as `str` shows it, `d` an integer, `f` and `e` a number with six places unless said, `x` and `X` an
integer in base 16, `%` a percent sign. Flags: `-` left, `0` zeros, `+` sign, `,` thousands. Values are never asked for
attributes or items, so that a template cannot reach into them.
"""

from __future__ import annotations

import math
import re

from rtfs_framework.lang.annotations import Any
from rtfs_framework.lang.decimals import decimal_text
from rtfs_framework.lang.errors import invalid_argument
from rtfs_framework.lang.meter import Growing, made, stepped, walk_integer
from rtfs_framework.lang.printer import display, write_float
from rtfs_framework.stdlib import shorthand as ty
from rtfs_framework.stdlib.arithmetic import to_float
from rtfs_framework.stdlib.check import integer, string
from rtfs_framework.stdlib.table import builtin

_DIRECTIVE = re.compile(r"%([-+0,]*)([0-9]{0,4})(?:\.([0-9]{1,2}))?(.?)", re.DOTALL)
_ACCEPTED = "a directive of format is %[-+0,][width][.places] and one of s d f e x X %"
_DEFAULT_PLACES = 6
"""Enough digits for every float with 99 decimals."""
_PLAIN = 1 << 2048
"""Integers below this are shown by Python itself, which refuses long ones."""


@builtin(
    "format",
    ('(format "%s is %d years, %.2f m" "Ada" 36 1.7)', '"Ada is 36 years, 1.70 m"'),
    ('(format "%5d|%-5s|%x|%%" 42 "ab" 255)', '"   42|ab   |ff|%"'),
    ('(format "%,d" 1234567)', '"1,234,567"'),
    ('(format "%.0f" 2.5)', '"3"'),
    ('(format "%d" "x")', "!TypeError"),
    ('(format "%q" 1)', "!InvalidArgument"),
    doc="Fill the directives of a template (%s %d %f %.2f %e %x %%) with values; halves are rounded as round does.",
)
def format_text(template: ty.string, *values: Any) -> str:
    text = string("format", template)
    out: list[str] = []
    done = used = 0
    size = Growing("format")
    size.add(len(text))
    for found in stepped(_DIRECTIVE.finditer(text)):
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
        wide = int(width or 0)
        shown = _shown(kind, values[used], flags, places, size)
        size.add(max(len(shown), wide))
        out.append(_laid_out(shown, flags, wide, kind))
        used += 1
    out.append(text[done:])
    return made("".join(out))


_KINDS = frozenset("sdfexX%")


def _shown(kind: str, value: Any, flags: str, places: str | None, size: Growing) -> str:
    """Return the text of one value before it is laid out."""
    if kind == "s":
        text = display(value, size.most, size.size)
        return text if places is None else text[: int(places)]
    sign = "+" if "+" in flags else ""
    if kind in {"x", "X"}:
        return f"{walk_integer(integer('format', value)):{sign}{kind}}"
    group = "," if "," in flags else ""
    if kind == "d":
        return _decimal(integer("format", value), sign, group)
    number = to_float("format", value)
    if not math.isfinite(number):
        return write_float(number)
    wanted = _DEFAULT_PLACES if places is None else int(places)
    if kind == "f":
        from decimal import ROUND_HALF_UP, Context, Decimal

        exact = Decimal(repr(number)).quantize(Decimal(1).scaleb(-wanted), ROUND_HALF_UP, Context(prec=500))
        return f"{exact:{sign}{group}f}"
    return _scientific(number, sign, wanted)


def _scientific(number: float, sign: str, places: int) -> str:
    """Return a number with one digit before the point and an exponent of two digits or more."""
    if not number:
        return f"{number:{sign}.{places}e}"
    from decimal import ROUND_HALF_UP, Context, Decimal

    rounded = Context(prec=places + 1, rounding=ROUND_HALF_UP).plus(Decimal(repr(number)))
    digits, _, exponent = f"{rounded:{sign}.{places}e}".partition("e")
    return f"{digits}e{exponent[0]}{exponent[1:]:0>2}"


def _decimal(value: int, sign: str, group: str) -> str:
    if -_PLAIN < value < _PLAIN:
        return f"{value:{sign}{group}d}"
    digits = decimal_text(abs(value))
    if group:
        first = len(digits) % 3 or 3
        digits = group.join([digits[:first], *(digits[start : start + 3] for start in range(first, len(digits), 3))])
    return ("-" if value < 0 else sign) + digits


def _laid_out(text: str, flags: str, width: int, kind: str) -> str:
    if "-" in flags:
        return text.ljust(width)
    if "0" in flags and kind != "s" and text[-1:].isalnum() and not text.startswith("#"):
        return text.zfill(width)
    return text.rjust(width)
