"""Quoted text: what one text quotes, the other must hold word by word, with the marks or without."""

from __future__ import annotations

import re

from rtfs_cache_similar.gates.seen import Seen, differing, of_text, seen

_DOUBLE = re.compile(r'"+([^"]*)"+')
_SINGLE = re.compile(r"(?<!\w)'([^']+)'(?!\w)")


def gate(first: Seen, second: Seen) -> str | None:
    """Close where what is quoted differs. A text's own quotation marks around all of it count as well."""
    mine, others = quoted(first), quoted(second)
    if all(_holds(second, each) for each in mine) and all(_holds(first, each) for each in others):
        return None
    return differing("quoted", mine, others)


def _holds(text: Seen, words: str) -> bool:
    """Tell whether a text has the quoted words, with or without the marks."""
    wanted = seen(words).words
    if not wanted:
        return words in text.text
    return f" {' '.join(wanted)} " in text.spaced


@of_text
def quoted(text: Seen) -> tuple[str, ...]:
    """Return what a text quotes, in its order; an open quotation counts to the end."""
    plain = text.text
    if text.signs.isdisjoint("\"'"):
        return ()
    found = [hit.group(1).strip() for hit in _DOUBLE.finditer(plain) if hit.group(1).strip()]
    rest = _DOUBLE.sub(" ", plain)
    if '"' in rest:
        head, _, tail = rest.partition('"')
        found.append(tail.strip() if not head or not head[-1].isdigit() else "inch")
    return (*found, *(hit.group(1).strip() for hit in _SINGLE.finditer(rest)))
