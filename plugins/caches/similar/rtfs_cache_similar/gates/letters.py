"""Single letters that name something: 'option a', 'vitamin C', 'select from b'. Both texts must have the same ones.

'a' is the article, and no name, only before a word that can begin its noun: not at the end, not before a sign, not
before a word such as 'is' or 'and', and not after a word such as 'option'.
"""

from __future__ import annotations

import re

from rtfs_cache_similar.gates.lists import words
from rtfs_cache_similar.gates.seen import Seen, differing, of_text

_SINGLE = re.compile(r"(?<![\w'.])(?P<letter>[^\W\d_])(?![\w'])(?!\.\w)(?P<after>\s*)(?P<next>[^\W_]+|\S)?")
_BEFORE = re.compile(r"([^\W_]+)\s+$")
_NO_NOUN = words(
    "is are was were be been am has have had does do did can could will would shall should may might must",
    "and or but nor xor not if then else than as at to from in into on onto of by for with without via",
    "because while when where which who that this these those the it its he she they we you i vs versus",
    "equals plus minus times before after a an",
)
_NAMED = words(
    "option choice variant plan variable column table field key row step part section exhibit appendix",
    "answer figure vitamin hepatitis group team class grade type letter file drive point side node vertex",
    "set gate terminal zone ward block wing hall matrix vector parameter argument",
)
_ALONE = frozenset("aiueoy")
"""Letters that are words of some language; between words they are taken for such, but for English's 'a'."""
_SAID = frozenset("iustdmrn")
"""Letters of ordinary English: 'I', 'u', and what is left of contractions."""


def gate(first: Seen, second: Seen) -> str | None:
    """Close where the letters differ."""
    mine, others = letters(first), letters(second)
    return None if mine == others else differing("letters", mine, others)


@of_text
def letters(text: Seen) -> tuple[str, ...]:
    """Return the single letters of a text that are no words, in small letters, sorted."""
    found = (hit["letter"].casefold() for hit in _SINGLE.finditer(text.text) if _names(text.text, hit))
    return tuple(sorted(found))


def _names(text: str, hit: re.Match[str]) -> bool:
    letter, after = hit["letter"].casefold(), (hit["next"] or "").casefold()
    if not letter.isascii():
        return False
    before = _BEFORE.search(text, max(0, hit.start() - 24), hit.start())
    said = before.group(1).casefold() if before else ""
    if said in _NAMED:
        return letter != "a" or not after.isalnum() or after in _NO_NOUN or hit["letter"] == "A"
    if letter == "a":
        return (bool(after) and after in _NO_NOUN) or (
            not after.isalnum() and after not in ('"', "'", "$", "#", "(", "`")
        )
    return letter not in _SAID and letter not in _ALONE
