"""Language and script: texts in two languages, or in two scripts, never answer each other."""

from __future__ import annotations

import re
import unicodedata

from rtfs_cache_similar.gates.lists import words
from rtfs_cache_similar.gates.seen import Seen, differing, of_text

_TEXT = {
    "en": (
        "the of and to in is are was what how why who which when where do does can i you my for with on it "
        "this that be have"
    ),
    "de": (
        "der die das und ist sind ein eine wie was warum wer wann wo ich du sie mein mit auf nicht zu den dem "
        "von kann man"
    ),
    "fr": (
        "le la les et est sont un une comment que quoi pourquoi qui quand je tu vous mon avec sur pas des du "
        "de dans quel quelle ce cette puis"
    ),
    "es": (
        "el la los las y es son un una como que por porque quien cuando donde yo tu mi con en no de del cual "
        "puedo se qué cómo cuál dónde"
    ),
    "it": (
        "il lo la gli le e sono un una come che cosa perché chi quando dove io tu mio con su non di del qual posso si è"
    ),
    "pt": ("o a os as e são um uma como que porque quem quando onde eu meu com em não de do da qual posso se é"),
    "nl": ("de het een en is zijn hoe wat waarom wie wanneer waar ik jij mijn met op niet van kan"),
    "sv": ("och är en ett hur vad varför vem när var jag du min med på inte av kan det den att"),
    "pl": ("i jest są jak co dlaczego kto kiedy gdzie ja mój z na nie do w czy się"),
}
_SHARED = words(
    "a an as at do die no me so on in is was war he be i o e se as os am an of for to not the and man per",
    "con come to van den det en it be this that what je al",
)
_WORDS = {name: frozenset(words.split()) - (frozenset() if name == "en" else _SHARED) for name, words in _TEXT.items()}
_OF = {word: tuple(name for name in _WORDS if word in _WORDS[name]) for words in _WORDS.values() for word in words}
_LETTER = re.compile("[A-Za-z]")
_LATIN = frozenset({"LATIN"})
_LEAST = 2


def gate(first: Seen, second: Seen) -> str | None:
    """Close where scripts or languages differ, or where letters of several scripts stand in one word."""
    for each in (first, second):
        if _mixed(each):
            return "scripts are mixed within a word"
    return (
        differing("scripts", scripts(first), scripts(second))
        or _languages(first, second)
        or _nothing_shared(first, second)
        or differing("accented letters", _accents(first), _accents(second))
    )


@of_text
def scripts(text: Seen) -> frozenset[str]:
    """Return the scripts of a text's letters, by the first word of their names."""
    if text.text.isascii():
        return _LATIN if _LETTER.search(text.text) else frozenset()
    return frozenset(_script(each) for each in text.text if each.isalpha())


@of_text
def language(text: Seen) -> str | None:
    """Return the language whose small words a text has most of; None where it has few, or as many of another."""
    counted = _counted(text)
    best = max(counted, key=counted.__getitem__)
    alone = list(counted.values()).count(counted[best]) == 1
    return best if counted[best] >= _LEAST and alone else None


@of_text
def _counted(text: Seen) -> dict[str, int]:
    """Return how many of each language's small words a text has."""
    counted = dict.fromkeys(_WORDS, 0)
    for word in text.words:
        for name in _OF.get(word, ()):
            counted[name] += 1
    return counted


def _languages(first: Seen, second: Seen) -> str | None:
    mine, other = language(first), language(second)
    if mine is not None and other is not None:
        return differing("languages", mine, other)
    known = mine or other
    unknown = first if mine is None else second
    if known is None:
        return None
    # A short text without small words is of any language, unless its small words are another's.
    counted = _counted(unknown)
    return f"languages: {known} and another" if max(counted.values()) > counted[known] else None


def _nothing_shared(first: Seen, second: Seen) -> str | None:
    apart = first.words and second.words and first.roots.isdisjoint(second.roots)
    return "no word is in both texts" if apart else None


def _accents(text: Seen) -> tuple[str, ...]:
    return () if text.text.isascii() else tuple(sorted(word for word in text.words if not word.isascii()))


def _script(letter: str) -> str:
    return unicodedata.name(letter, "UNKNOWN").partition(" ")[0]


def _mixed(text: Seen) -> bool:
    return not text.text.isascii() and any(len(_scripts(word)) > 1 for word in text.words if not word.isascii())


def _scripts(word: str) -> set[str]:
    return {_script(each) for each in word if each.isalpha()} - {"CJK", "HIRAGANA", "KATAKANA"}
