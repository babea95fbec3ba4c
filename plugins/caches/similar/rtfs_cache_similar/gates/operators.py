"""Operators between operands: 'a-b', '2 + 3', 'x and y'. The same operands must be joined by the same operator."""

from __future__ import annotations

import re

from rtfs_cache_similar.gates.seen import Seen, differing, of_text, stem

_BETWEEN = re.compile(
    r"(?P<left>\w+|[)\]])(?P<sign>\s*(?:[-+*/%^&|<>=!~\u00d7\u00f7\u00b1\u222a\u2229\u2227\u2228\u2264\u2265\u2260]+)\s*)"
    r"(?=(?P<right>\w+|[(\[]))"
)
_SAID = {"and": "and", "or": "or", "nor": "nor", "xor": "xor", "plus": "+", "minus": "-", "times": "*", "over": "/",
         "und": "and", "oder": "or", "et": "and", "ou": "or", "y": "and", "o": "or", "och": "and", "eller": "or",
         "of": "of", "en": "en", "&": "and"}  # fmt: skip
_SIGNS = ("+", "-", "*", "/", "%", "^", "&", "|", "<", ">", "=", "!", "~")


def gate(first: Seen, second: Seen) -> str | None:
    """Close where an operator stands in one text only, or the same operands are joined by another one."""
    signs = differing("operators", operators(first), operators(second))
    if signs is not None:
        return signs
    mine, others = joined(first), joined(second)
    for operands in sorted(mine.keys() & others.keys()):
        if mine[operands] != others[operands]:
            left, right = operands
            return f"operators: '{left} {mine[operands]} {right}' and '{left} {others[operands]} {right}'"
    return None


@of_text
def operators(text: Seen) -> tuple[str, ...]:
    """Return the operators between two operands that are letters or numbers, in the text's order."""
    if text.text.isascii() and text.signs.isdisjoint(_SIGNS):
        return ()
    hits = _BETWEEN.finditer(text.text)
    found = (hit["sign"].strip() for hit in hits if _operand(hit["left"]) and _operand(hit["right"]))
    return tuple(sign for sign in found if sign != "&")


@of_text
def joined(text: Seen) -> dict[tuple[str, str], str]:
    """Return what joins two words, by their stems."""
    found = {
        (stem(left), stem(right)): _SAID[word]
        for left, word, right in zip(text.words, text.words[1:], text.words[2:], strict=False)
        if word in _SAID
    }
    if not text.text.isascii() or not text.signs.isdisjoint(_SIGNS):
        for hit in _BETWEEN.finditer(text.text):
            sign = hit["sign"].strip()
            found[stem(hit["left"].casefold()), stem(hit["right"].casefold())] = _SAID.get(sign, sign)
    return found


def _operand(word: str) -> bool:
    return len(word) == 1 or word.isdigit()
