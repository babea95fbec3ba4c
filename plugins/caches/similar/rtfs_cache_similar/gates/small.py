"""Small words exchanged: persons, tenses, directions. They count where all the rest is the same, word by word.

Where two texts are worded differently besides, 'I' and 'you', or 'is' and 'was', often ask the same; then nothing is
said here.
"""

from __future__ import annotations

from collections.abc import Iterator

from rtfs_cache_similar.gates.lists import words
from rtfs_cache_similar.gates.seen import Seen, of_text, stem

_PERSONS = {
    "1": "i me my mine myself", "1s": "we us our ours ourselves", "2": "you your yours yourself yourselves u ur",
    "he": "he him his himself", "she": "she her hers herself", "it": "it its itself",
    "they": "they them their theirs themselves",
}  # fmt: skip
_TENSES = {"present": "is are am do does has have", "past": "was were did had", "future": "will shall"}
_DIRECTIONS = {"to": "to into onto toward towards", "from": "from", "with": "with", "without": "without",
               "against": "against", "before": "before", "after": "after",
               "until": "until till", "since": "since"}  # fmt: skip
_OTHERS = {"who": "who", "what": "what", "when": "when", "where": "where", "why": "why", "must": "must",
           "because": "because", "although": "although"}  # fmt: skip
_KINDS = {
    word: (kind, name)
    for kind, names in (("person", _PERSONS), ("tense", _TENSES), ("direction", _DIRECTIONS), ("word", _OTHERS))
    for name, said in names.items()
    for word in said.split()
}
_ANYONE = frozenset({"1", "1s", "2"})
_SUBJECTS = words("i we you u")
_ASKING = words("how what why which where when who can could should would is are do does if")
_ARTICLES = frozenset(["a", "an", "the"])
_COUNTERFACTUAL = ("if only", "wish", "wishes", "wished", "supposed to", "would have", "could have", "should have",
                   "about to", "pretend", "pretends", "pretended", "almost")  # fmt: skip
_BE = words("is are was were be been being am get gets got getting")


def gate(first: Seen, second: Seen) -> str | None:
    """Close where a small word stands for one of another meaning, or what is not so is told as if it were."""
    mine, others = _imagined(first), _imagined(second)
    if mine != others and len(first.subjects ^ second.subjects) <= _ABOUT:
        return f"mood: '{min(mine ^ others)}' is in one text only"
    mine_words, other_words = _bare(first), _bare(second)
    if len(mine_words) != len(other_words):
        return None
    return _exchanged([pair for pair in zip(mine_words, other_words, strict=True) if pair[0] != pair[1]], first)


_ABOUT = 3
"""Words in one text alone, up to which both are about the same."""


@of_text
def _bare(text: Seen) -> tuple[str, ...]:
    return tuple(each for each in text.words if each not in _ARTICLES)


def _exchanged(pairs: list[tuple[str, str]], text: Seen) -> str | None:
    if not all((one in _KINDS and other in _KINDS) or stem(one) == stem(other) for one, other in pairs):
        return None
    generic = _generic(pairs, text)
    for one, other in pairs:
        (kind, name), (its, another) = _KINDS.get(one, ("", "")), _KINDS.get(other, ("", ""))
        if name == another:
            if not name and _past(one) != _past(other):
                return f"tense: '{one}' and '{other}'"
            continue
        if kind == its and not (generic and {name, another} <= _ANYONE):
            return f"{kind}: '{one}' and '{other}'"
    return None


def _past(word: str) -> bool:
    return word.endswith("ed")


def _generic(pairs: list[tuple[str, str]], text: Seen) -> bool:
    """Tell whether 'I', 'you' and 'we' stand for anyone: in a question, where the subject is exchanged, too."""
    asks = not text.words or text.words[0] in _ASKING
    return asks and any(one in _SUBJECTS and other in _SUBJECTS for one, other in pairs)


@of_text
def _imagined(text: Seen) -> frozenset[str]:
    """Return the words by which a text tells what is not so, or not so any more."""
    return frozenset([*(each for each in _COUNTERFACTUAL if f" {each} " in text.spaced), *_once(text)])


def _once(text: Seen) -> Iterator[str]:
    for before, used, to in zip(("", *text.words), text.words, text.words[1:], strict=False):
        if used == "used" and to == "to" and before not in _BE:
            yield "used to"
