"""Names: of people, places, products, organisations. A name of one text must be in the other.

A name is a word in capital letters, or one with a capital that does not begin a sentence, or a word of the small list
of places, peoples and languages, however it is written. What a name is called beside ('Donald' beside 'Trump', where
both texts have 'Trump') may be left out, in one of the texts. 'Roberts' is not 'Robert': a name in another form is
another name, but for peoples, and for what is written in small letters or as an acronym besides ('GPUs').
"""

from __future__ import annotations

import re

from rtfs_cache_similar.gates.lists import words
from rtfs_cache_similar.gates.places import PLACES
from rtfs_cache_similar.gates.seen import FUNCTION_WORDS, Seen, of_text, stem

_SENTENCE = re.compile(r"(?:^|[.!?:;\n]\s+|[\"'(]\s*)([^\W_]+)")
_WORD = re.compile(r"[^\W_]+")
_SAME = {"us": "usa", "u": "usa", "america": "usa", "american": "usa", "americans": "usa", "uk": "britain",
         "british": "britain", "england": "england", "indian": "india", "indians": "india", "chinese": "china",
         "pakistani": "pakistan", "pakistanis": "pakistan",
         "russian": "russia", "german": "german", "i": ""}  # fmt: skip
_FIRST = words(
    "how what why who whom whose which when where is are was were do does did can could should would will",
    "if in on at for to has have had may might must shall i my the a an there as",
)
_PEOPLES = frozenset(
    map(stem, words("muslim christian hindu jew sikh buddhist catholic turk arab scot pole swede dane spaniard finn"))
)
_OF_PLACE = re.compile(r".{3,}(?:an|i)")
_TITLES_FROM = 0.6
"""A text of which so many words have capitals is a heading: there capitals tell nothing."""


def gate(first: Seen, second: Seen) -> str | None:
    """Close where a text has a name that the other has not."""
    alone = missing(first, second), missing(second, first)
    for lacking, mine, other in zip(alone, (first, second), (second, first), strict=True):
        for each in lacking:
            if all(alone) or not _beside_known(each, mine, _known(other)):
                return f"names: '{each}' is in one text only"
    return None


@of_text
def _known(text: Seen) -> frozenset[str]:
    return text.vocabulary.union(map(_one, text.vocabulary))


def missing(mine: Seen, other: Seen) -> list[str]:
    """Return the names of a text that the other has not."""
    known = _known(other)
    return [each for each in names(mine) if _one(each) not in known and not _inflected(each, mine, other)]


def exchanged(first: Seen, second: Seen) -> bool:
    """Tell whether each text has a name that the other has not."""
    return bool(missing(first, second) and missing(second, first))


def _inflected(name: str, mine: Seen, other: Seen) -> bool:
    """Tell whether the other text has another form of a name that is no other name."""
    root = stem(name)
    if root not in other.roots:
        return False
    spelt = [each for each in (*mine.cased, *other.cased) if stem(each.casefold()) == root]
    people = root in _PEOPLES or (root in PLACES and _OF_PLACE.fullmatch(root) is not None)
    return people or any(each.islower() or _within(each) for each in spelt)


@of_text
def names(text: Seen) -> list[str]:
    """Return the names of a text in small letters, in its order."""
    found = []
    for hit in _WORD.finditer(text.opened):
        word = hit.group(0)
        small = word.casefold()
        if small in PLACES:
            found.append(small)
        elif word == small or small in FUNCTION_WORDS or _is_heading(text):
            continue
        elif (word[:1].isupper() and (hit.start() not in _begins(text) or (small not in _FIRST and _within(word)))) or (
            word.isupper() and len(word) > 1 and word.isalpha()
        ):
            found.append(small)
    return found


@of_text
def _begins(text: Seen) -> frozenset[int]:
    """Return where sentences begin."""
    return frozenset(hit.start(1) for hit in _SENTENCE.finditer(text.opened))


def _within(word: str) -> bool:
    return any(each.isupper() for each in word[1:])


@of_text
def _is_heading(text: Seen) -> bool:
    words = text.cased
    long = [each for each in words[1:] if len(each) > 3]  # what begins a sentence has a capital anyway
    return (len(long) >= 3 and sum(each[0].isupper() for each in long) >= _TITLES_FROM * len(long)) or (
        len(words) > 1 and all(each.isupper() for each in words if each.isalpha())
    )


def _one(word: str) -> str:
    return _SAME.get(word, word)


def _beside_known(name: str, text: Seen, known: frozenset[str]) -> bool:
    """Tell whether a neighbour of a name is a name, too, and one that the other text has."""
    if name in PLACES:
        return False
    cased = text.cased
    places = [place for place, word in enumerate(text.words) if word == name]
    for place in places:
        around = [each for each in (place - 1, place + 1) if 0 <= each < len(cased)]
        if not any(cased[each][:1].isupper() and cased[each].casefold() not in FUNCTION_WORDS
                   and _one(cased[each].casefold()) in known for each in around):  # fmt: skip
            return False
    return bool(places)
