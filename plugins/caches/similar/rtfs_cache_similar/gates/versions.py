"""Versions: `3.10`, `v2`, `2.0.1-beta`, editions and releases by number. Both texts must have the same."""

from __future__ import annotations

import re

from rtfs_cache_similar.gates.lists import words
from rtfs_cache_similar.gates.seen import Seen, differing, of_text

_DOTTED = re.compile(r"\bv?\d+(?:\.(?:\d+|x))+(?:[-+.]?(?:alpha|beta|rc|dev|post|pre|a|b)\.?\d*)?\b", re.IGNORECASE)
_MARKED = re.compile(r"\bv\.?\s?\d+\b|\b[A-Za-z]+-\d+\b|\b\d+[a-z]\b|\b[a-z]\d+\b", re.IGNORECASE)
_NAMED = words(
    "alpha beta rc stable nightly lts preview legacy pro plus max mini ultra lite premium basic standard",
    "enterprise community free paid home professional ultimate senior junior deluxe snapshot canary",
    "edition generation gen release x xl xs xr se hd uhd",
)

_ORDINARY = words(
    "stable legacy plus mini basic standard community free paid home professional ultimate senior junior",
    "premium preview snapshot edition generation release x max",
)
"""Words of ordinary English: they may be left out."""
_ALWAYS = _NAMED - _ORDINARY


def gate(first: Seen, second: Seen) -> str | None:
    """Close where the versions differ."""
    mine, others = (each.vocabulary & _NAMED for each in (first, second))
    if mine - others and others - mine:
        return differing("versions", mine, others)
    return differing("versions", versions(first), versions(second))


@of_text
def versions(text: Seen) -> tuple[str, ...]:
    """Return the versions of a text, in small letters, sorted."""
    found = [word for word in text.words if word in _ALWAYS]
    if text.counts:
        found += [hit.group(0).lower().lstrip("v. ") for hit in _DOTTED.finditer(text.text)]
        found += [hit.group(0).lower().replace(" ", "") for hit in _MARKED.finditer(text.text)]
    return tuple(sorted(found))
