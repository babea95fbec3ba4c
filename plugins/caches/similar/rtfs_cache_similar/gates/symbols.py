"""Symbols: emoji, smiles, and mathematical signs beyond ASCII. Both texts must have the same ones."""

from __future__ import annotations

import re
import unicodedata

from rtfs_cache_similar.gates.seen import Seen, differing, of_text

_SMILE = re.compile(r"(?<![\w:;=])[:;=8x]['^]?-?[()\[\]DPpO/\\|*](?!\w)|<3\b|<[/\\]3\b")
_KINDS = frozenset({"So", "Sk", "Sm"})
_LEFT_OUT = frozenset("\u00b0\u00a9\u00ae\u2122<>=+|~^`")
"""Degrees are units, marks of owners say nothing, and ASCII's signs are code."""
_SADNESS = str.maketrans("", "", "-'^")


def gate(first: Seen, second: Seen) -> str | None:
    """Close where the symbols differ; a smile that is merely friendly may be left out."""
    mine, others = symbols(first), symbols(second)
    return None if mine == others else differing("symbols", mine, others)


@of_text
def symbols(text: Seen) -> frozenset[str]:
    """Return the symbols of a text, each once; smiles but for the friendly ones."""
    found = {hit.group(0).translate(_SADNESS) for hit in _SMILE.finditer(text.text)}
    found -= {":)", ";)", "=)", ":D", "=D", ":P", ":p"}
    if not text.text.isascii():
        found |= {each for each in text.text if unicodedata.category(each) in _KINDS and each not in _LEFT_OUT}
    return frozenset(found)
