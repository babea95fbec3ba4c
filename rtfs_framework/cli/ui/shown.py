"""Templates: every value that is shown is made visible, bounded and escaped, unless it is markup of our own.

In: a template's name and data. Out: HTML. What others wrote (programs, models, file names) may hold anything: control
and bidirectional characters become escapes, a text longer than `MOST` characters is cut and says so, and Jinja escapes
the rest. A template that forgets nothing has to remember nothing: `finalize` sees each value.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, select_autoescape
from markupsafe import Markup, escape

from rtfs_framework.cli.shown.words import moment, money, seconds
from rtfs_framework.cli.ui.charts import kind_of
from rtfs_framework.lang.visible import visible

MOST = 2_000
"""Characters of one value."""
_ID = 12


@cache
def environment() -> Environment:
    """Return what renders templates."""
    made = Environment(
        loader=PackageLoader("rtfs_framework.cli.ui", "templates"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        finalize=_fit,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "whole": whole, "short": short, "took": took, "amount": amount, "dollars": dollars, "when": when,
        "many": many, "share": share, "tone": tone, "kind": kind_of,
    }  # fmt: skip
    return made


def rendered(name: str, data: Mapping[str, Any]) -> str:
    """Return a template with data."""
    return environment().get_template(name).render(data)


def _fit(value: Any) -> Any:
    """Return a value as it may be shown; markup and numbers stay as they are."""
    if value is None:
        return ""
    if isinstance(value, Markup | int | float):
        return value
    text = str(value)
    if len(text) > MOST:
        text = f"{text[:MOST]}… ({len(text) - MOST:,} more characters)"
    return visible(text)


def whole(text: str) -> Markup:
    """Return a text as it is, for what somebody edits: nothing is cut or made visible."""
    return escape(text)


def short(id_: object) -> str:
    """Return the beginning of an id or digest, as commands show it."""
    return str(id_)[:_ID]


def took(value: float | None) -> str:
    """Return microseconds as people read them."""
    return "" if value is None else seconds(value / 1_000_000)


def dollars(value: float | None) -> str:
    """Return US dollars; None is not known, nothing is shown for none."""
    return "?" if value is None else "" if value == 0 else money(value)


def amount(text: object, counts: str) -> str:
    """Return what a budget counts: dollars, which are exact texts, without the zeros at their end."""
    if counts != "usd":
        return f"{text:,}" if isinstance(text, int) else str(text)
    whole, _, rest = str(text).partition(".")
    return f"${whole}.{rest.rstrip('0'):0<2}"


def when(stamp: float | None) -> str:
    """Return a time as this machine's clock shows it."""
    try:
        return "" if stamp is None else moment(stamp)
    except (ValueError, OverflowError, OSError):  # a journal that was changed may say anything
        return "no time"


def many(count: int, word: str, words: str = "") -> str:
    """Return a number with its noun."""
    return f"{count:,} {word if count == 1 else words or f'{word}s'}"


def share(part: float, of: float) -> str:
    """Return a share in per cent."""
    return f"{100 * part / of:.0f} %" if of else ""


_TONES = {
    "complete": "good", "value": "good", "closed": "good", "yes": "good", "done": "good",
    "failed": "bad", "error": "bad", "open": "bad", "no": "bad", "dead": "bad", "interrupted": "bad",
    "waiting": "warn", "half-open": "warn", "leased": "warn", "late": "warn", "warning": "warn", "begun": "warn",
}  # fmt: skip


def tone(word: object) -> str:
    """Return the class of a word that says how something is; it is never told by colour alone."""
    return _TONES.get(str(word), "plain")
