"""Order of roles: who does it to whom, from where to where. Equal words in another order may be another question.

The gate closes where two words change sides of a third one that both texts have ('A beats B', 'B beats A'; 'from A to
B', 'from B to A'), where equal words stand in another order, and where 'by' comes in or goes ('A beat B', 'A was beaten
by B'). Words joined by 'and', 'or', 'vs' and commas may change places: nobody plays a role there.
"""

from __future__ import annotations

from collections import Counter

from rtfs_cache_similar.gates.seen import FUNCTION_WORDS, Seen, differing, of_text, stem

_JOINTS = frozenset(["and", "or", "vs", "versus", "nor"])
_DIRECTIONS = frozenset(
    ("to from into onto by for with than over under against of before after on in via").split()  # noqa: SIM905 - one line per word is no better to read
)
_NO_ROLE = frozenset(["mean", "means", "meant", "go", "goes"])
_CLOSE = 0.6
"""Share of equal words from which another order of those tells another thing."""
_ABOUT = 2
"""Words in one text alone, up to which both are about the same."""
_ARTICLES = frozenset(["a", "an", "the"])


def gate(first: Seen, second: Seen) -> str | None:
    """Close where roles are exchanged."""
    if _asker(first) and _asker(second) and _asker(first) != _asker(second) and _alike(first, second):
        return "order: who does it, and to whom it is done, is asked for"
    if len(first.subjects & second.subjects) < _CLOSE * max(len(first.subjects), len(second.subjects)):
        return None
    if _by(first) != _by(second) and len(first.subjects ^ second.subjects) <= _ABOUT:
        return "order: 'by' is in one text only"
    return _sides(_once(first), _once(second)) or _same_words(first, second) or _joints(first, second)


_WHO = frozenset(["who", "whom", "what", "which"])
_DOING = frozenset(("do does did will would can could should must has have had").split())  # noqa: SIM905 - as above
_BEING = frozenset(("is are was were am s re the a an").split())  # noqa: SIM905 - as above


@of_text
def _asker(text: Seen) -> str:
    """Tell whether a question asks for who does it ('who paid Alice') or for another role ('who did Alice pay')."""
    if len(text.words) < 3 or text.words[0] not in _WHO or text.words[1] in _BEING:
        return ""
    first, second = text.words[1:3]
    if first not in _DOING:
        return "does" if text.words[0] == "who" or first.endswith(("ed", "s")) else ""
    if second in _DOING or second in ("be", "been", "not"):
        return ""
    subject = text.cased[2][:1].isupper() or second in FUNCTION_WORDS or first in ("do", "does", "did")
    return "is done to" if subject else "does"


def _alike(first: Seen, second: Seen) -> bool:
    """Tell whether two short questions are about the same: one form of a verb may have two stems ('pay', 'paid')."""
    return bool(first.subjects & second.subjects) and len(first.subjects ^ second.subjects) <= _ABOUT


@of_text
def _by(text: Seen) -> bool:
    """Tell whether somebody does something 'by' whom it is said; not 'mean by', 'by myself', 'by starting'."""
    words = ("", *text.words, "")
    return any(
        word == "by" and before not in _NO_ROLE and not after.endswith(("self", "ing"))
        for before, word, after in zip(words, words[1:], words[2:], strict=False)
    )


@of_text
def _once(text: Seen) -> dict[str, int]:
    """Return the place of each word that says something, or a direction, and that comes but once."""
    counted = Counter(text.stems)
    return {
        root: place
        for place, (word, root) in enumerate(zip(text.words, text.stems, strict=True))
        if counted[root] == 1 and (word not in FUNCTION_WORDS or word in _DIRECTIONS or word in _JOINTS)
    }


def _sides(mine: dict[str, int], others: dict[str, int]) -> str | None:
    """Find two words that change the sides of a third."""
    shared = mine.keys() & others.keys()
    words = shared - _DIRECTIONS - _JOINTS
    for pivot in sorted(shared - _JOINTS):
        before = {each for each in words if mine[each] < mine[pivot] and others[each] > others[pivot]}
        after = {each for each in words if mine[each] > mine[pivot] and others[each] < others[pivot]}
        if before and after:
            return f"order: '{min(before)}' and '{min(after)}' change the sides of '{pivot}'"
    return None


def _same_words(first: Seen, second: Seen) -> str | None:
    """Compare the order of two texts that have the very same words, with no joint between them."""
    mine, others = ([each for each in text.words if each not in _ARTICLES] for text in (first, second))
    if mine == others or Counter(mine) != Counter(others) or _JOINTS & set(mine):
        return None
    return differing("order", " ".join(mine), " ".join(others)) if first.content != second.content else None


def _joints(first: Seen, second: Seen) -> str | None:
    """Compare what follows each direction word, where both texts have the same content."""
    if Counter(first.content) != Counter(second.content):
        return None
    mine, others = _directed(first), _directed(second)
    for word in sorted(mine.keys() & others.keys()):
        if sorted(mine[word]) != sorted(others[word]):
            return f"order: '{word} {mine[word][0]}' and '{word} {others[word][0]}'"
    return None


def _directed(text: Seen) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    words = text.words
    for place, word in enumerate(words):
        if word in _DIRECTIONS:
            after = next((each for each in words[place + 1 :] if each not in FUNCTION_WORDS), "")
            found.setdefault(word, []).append(stem(after))
    return found
