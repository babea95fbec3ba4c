"""Words of servers, fit to be shown: on one line, bounded, with everything that cannot be seen as its escape.

A server's descriptions and errors are data of somebody whom nobody trusts. They may hold what steers a terminal,
reorders a line, or is invisible to people and not to models (Unicode's tags, variation selectors).
"""

from __future__ import annotations

_VARIATIONS = (range(0xFE00, 0xFE10), range(0xE0100, 0xE01F0))
"""Variation selectors: they are marks, not controls, and can spell anything after any character."""


def shown(text: str, most: int = 300) -> str:
    """Return words with what cannot be seen as its escape, at most `most` characters of them."""
    return "".join(map(_seen, text[:most])) + ("…" if len(text) > most else "")


def summary(text: str, most: int = 300) -> str:
    """Return words as one line: white space of any length is one blank."""
    return shown(" ".join(text[: 8 * most].split()), most)


def _seen(each: str) -> str:
    if each.isprintable() and not any(ord(each) in span for span in _VARIATIONS):
        return each
    return f"\\u{{{ord(each):x}}}"
