"""Negation: both texts must deny equally often, and the same things."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rtfs_cache_similar.gates.lists import words
from rtfs_cache_similar.gates.seen import FUNCTION_WORDS, Seen, differing, of_text, stem

_NOT = words(
    "not no never none nobody nothing nowhere neither nor hardly scarcely barely seldom rarely without",
    "lack lacks lacking except excluding exclude excludes except excepting unless avoid avoids avoiding",
    "avoided prevent prevents preventing prevented refuse refuses refused refusing deny denies denied",
    "fail fails failed failing stop stops stopped stopping cease ceases ceased quit quits quitting",
    "nothing zero non nicht kein keine ohne ne pas jamais sans sin nunca jamas dont cant wont false",
    "untrue impossible unable instead rather forbid forbids forbidden prohibit prohibits prohibited ban",
    "nt donot niet geen nooit niemand niets inte ej aldrig ingen inget inga nie nigdy nikt nic brak ikke aldri",
    "aldrig intet ei eiv\u00e4t n\u00e3o nao nem nadie ning\u00fan ninguna nadie nada ning\u00e9m nunca",
    "niente nessuno mai",
    "nien nicht nichts niemals niemand keinen keiner keinem keines nein weder aucun aucune rien ni",
    "nen\u00ed neni ned\u011bl\u00e1 nikdo nikdy nije nisu nism nema nu niciodat\u0103 de\u011fil degil",
    "yok hay\u0131r asla nincs soha tidak",
    "bukan jangan kh\u00f4ng ch\u01b0a \u043d\u0435 \u043d\u0435\u0442 \u043d\u0438",
    "\u043d\u0438\u043a\u043e\u0433\u0434\u0430 \u043d\u0435\u043c\u0430\u0454",
    "\u043d\u0435\u043b\u044c\u0437\u044f \u03b4\u03b5\u03bd \u03b4\u03ad\u03bd \u03b4\u03b5",
    "\u03bc\u03b7\u03bd \u03cc\u03c7\u03b9 \u0644\u0627 \u0644\u064a\u0633 \u0644\u0645 \u0644\u0646",
    "\u063a\u064a\u0631",
    "\u05dc\u05d0 \u05d0\u05d9\u05df hindi nahi",
    "bans banned skip skips skipping omit omits omitting ignore ignores ignoring",
)
_PREFIXES = ("un", "in", "im", "ir", "il", "dis", "non", "mis", "de", "a", "anti", "counter")
_SUFFIXES = (("less", "ful"), ("less", ""), ("free", ""), ("proof", ""))
_ENDINGS = tuple(ending for ending, _ in _SUFFIXES)
_LEAST = 3
_FREE = re.compile(
    r"\b([a-z]{3,})(?:-(?:free|less|proof)\b| (?:free|proof)(?=[^\w\s]|$| (?:a|an|the|and|or|of|to|in|for|is|are)\b))"
)
"""'sugar-free', 'is it sugar free?': but not 'the best free course', 'download free films'."""


_WITHIN = re.compile(
    "[\u4e0d\u6ca1\u6c92\u975e\u672a\u5225\u522b\u65e0\u7121\u52ff]|\u306a\u3044"
    "|\u306a\u304b|\u307e\u305b\u3093|\uc548|\uc54a|\ubabb|\uc5c6|\uc544\ub2c8|\uc544\ub2cc|\u0928\u0939\u0940\u0902|\u092e\u0924|\u0e44\u0e21\u0e48"
)
"""What denies within a word, or where words have no spaces: Chinese, Japanese, Korean, Hindi, Thai."""


def gate(first: Seen, second: Seen) -> str | None:
    """Close where what is denied differs, or a word of one text is the other's with a prefix that denies."""
    mine, others = denied(first), denied(second)
    if _within(first) != _within(second):
        return differing("what is denied", _within(first), _within(second))
    if len(mine) != len(others):
        return differing("what is denied", mine, others)
    for only, free in ((set(mine) - set(others), second), (set(others) - set(mine), first)):
        moved = [each for each in sorted(only) if each[len("not ") :] in free.stems or each == "not "]
        if moved:
            return differing("what is denied", mine, others)
    return _by_prefix(first, second)


@of_text
def denied(text: Seen) -> tuple[str, ...]:
    """Return, for each word that denies, the next word that says something."""
    denies = () if text.vocabulary.isdisjoint(_NOT) else _denied(text.words)
    return tuple(sorted([*denies, *(f"not {stem(each)}" for each in _free(text))]))


@of_text
def _within(text: Seen) -> tuple[str, ...]:
    return () if text.text.isascii() else tuple(sorted(_WITHIN.findall(text.low)))


def _free(text: Seen) -> Iterator[str]:
    if not text.may_have("free", "less", "proof"):
        return iter(())
    return (each for each in _FREE.findall(text.opened.casefold()) if each not in FUNCTION_WORDS)


def _denied(words: tuple[str, ...]) -> Iterator[str]:
    for place, word in enumerate(words):
        if word == "not" and (words[:place][-1:] == ("or",) or words[:place][-2:] == ("or", "why")):
            continue  # 'or not' and 'why or why not' ask the same question
        if word in _NOT:
            after = (each for each in words[place + 1 :] if each not in FUNCTION_WORDS and each not in _NOT)
            yield f"not {stem(next(after, ''))}"


def _by_prefix(first: Seen, second: Seen) -> str | None:
    alone = first.vocabulary - second.vocabulary, second.vocabulary - first.vocabulary
    for mine, others in (alone, alone[::-1]):
        stems, begins = set(map(stem, others)), {each[:1] for each in others}
        for word in sorted(each for each in mine if each.startswith(_PREFIXES) or each.endswith(_ENDINGS)):
            if any(stem(plain) in stems or plain in others for plain in _plain(word) if plain[:1] in begins):
                return f"'{word}' denies a word of the other text"
    return None


def _plain(word: str) -> Iterator[str]:
    for prefix in _PREFIXES:
        if word.startswith(prefix) and len(word) - len(prefix) >= _LEAST:
            yield word[len(prefix) :]
    for ending, other in _SUFFIXES:
        if word.endswith(ending) and len(word) - len(ending) >= _LEAST:
            yield word[: -len(ending)] + other
