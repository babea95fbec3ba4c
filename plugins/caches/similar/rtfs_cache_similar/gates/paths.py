"""Paths, addresses, file names, host names, digests. Both texts must have the same, letter by letter."""

from __future__ import annotations

import re

from rtfs_cache_similar.gates.seen import Seen, differing, of_text

_PIECES = re.compile(
    r"[a-zA-Z][a-zA-Z0-9+.-]*://\S+"
    r"|[\w.+-]+@[\w-]+(?:\.[\w-]+)+"
    r"|[A-Za-z]:\\\S*"
    r"|(?<![\w/])(?:~|\.{1,2})?/[\w.~@%+-][\w./~@%+-]*"
    r"|\b[\w.-]+(?:/[\w.-]+){2,}/?"
    r"|\b[\w-]+/[\w-]*\.[\w.]+"
    r"|(?<!\w)\.[A-Za-z]\w{1,5}\b"
    r"|\b[\w-]+(?:\.[\w-]+)*\.[A-Za-z]\w{1,9}\b"
    r"|\b\d{1,3}(?:\.\d{1,3}){3}(?:/\d+)?(?::\d+)?"
    r"|(?<=\w):\d{2,5}\b"
    r"|\b(?=[0-9a-f]*\d)[0-9a-f]{7,}\b"
    r"|\b[A-Z]{2,10}-\d+\b"
    r"|(?<!\w)[#@]\w+"
)


def gate(first: Seen, second: Seen) -> str | None:
    """Close where the paths differ."""
    return differing("paths", paths(first), paths(second))


@of_text
def paths(text: Seen) -> tuple[str, ...]:
    """Return the paths of a text as they are written, sorted; a full stop at the end is none of theirs."""
    if not text.counts and not text.dotted and text.signs.isdisjoint("/\\@#"):
        return ()
    return tuple(sorted(hit.group(0).rstrip(".,;:!?)") for hit in _PIECES.finditer(text.text)))
