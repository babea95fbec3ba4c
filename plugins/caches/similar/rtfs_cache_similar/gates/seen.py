"""A text as the gates see it: cleaned, cut into words once, kept for the next gate."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import cached_property, lru_cache, wraps
from typing import TypeVar

from rtfs_cache_similar.gates.lists import words

Said = TypeVar("Said")
_QUOTES = str.maketrans(
    {"\u2018": "'", "\u2019": "'", "\u201a": "'", "\u201c": '"', "\u201d": '"', "\u201e": '"', "\u00ab":
     '"', "\u00bb": '"', "\u2013": "-", "\u2014": "-", "\u2212": "-", "\u2011": "-"}
)  # fmt: skip
_DOTTED = re.compile(r"\.[A-Za-z]")
_DIGIT = re.compile(r"\d")
_WORD = re.compile(r"[^\W_]+(?:'[^\W\d_]+)?")
_CONTRACTED = re.compile(
    r"\b(can't|cannot|won't|shan't"
    r"|(?:is|are|was|were|do|does|did|has|have|had|would|could|should|might|must|need|ai) ?n[' ]?t|can t|won t)\b",
    re.IGNORECASE,
)
_OPENED = {"can't": "can not", "cannot": "can not",
           "can t": "can not",
           "won t": "will not", "won't": "will not", "shan't": "shall not", "ain't": "is not"}  # fmt: skip
_NOT = re.compile(r" ?n[' ]?t$")
_TAIL = re.compile(r"'(?:s|re|ve|ll|d|m)$")
_LONGEST_STEM_CUT = 3
ENDINGS = ("'s", "ingly", "edly", "ings", "ing", "ied", "ies", "ed", "es", "s", "ly")
_KEPT = 4096

FUNCTION_WORDS = words(
    "a an the of to in on at by for with from as is are was were be been being am do does did have has",
    "had i you he she it we they me him her us them my your his its our their this that these those what",
    "which who whom whose how why when where and or but if so than then there here can could will would",
    "shall should may might must about into onto up out over under s t re ve ll d m one ones please just",
    "also too very really ever get got gets exactly some any much many such own same other another",
    "oneself yourself myself",
)
"""Words that say little by themselves."""


class Seen:
    """One text. Everything is computed when it is first asked for."""

    def __init__(self, text: str) -> None:
        """Clean it: one form of each character, plain quotes and dashes, nothing invisible."""
        if not text.isascii():
            plain = unicodedata.normalize("NFKC", text).translate(_QUOTES)
            text = "".join(each for each in plain if unicodedata.category(each) != "Cf")
        self.text = text
        self.known: dict[object, object] = {}
        """What `of_text` has found out about it."""

    def may_have(self, *pieces: str) -> bool:
        """Tell, quickly, whether one of some texts in small letters may be in it, in letters of any case."""
        return not self.text.isascii() or any(piece in self.low for piece in pieces)

    @cached_property
    def low(self) -> str:
        """The text in small letters."""
        return self.text.lower()

    @cached_property
    def signs(self) -> frozenset[str]:
        """Its characters."""
        return frozenset(self.text)

    @cached_property
    def counts(self) -> bool:
        """Tell whether a digit is in it."""
        return _DIGIT.search(self.text) is not None

    @cached_property
    def dotted(self) -> bool:
        """Tell whether a letter stands right after a dot."""
        return "." in self.signs and _DOTTED.search(self.text) is not None

    @cached_property
    def opened(self) -> str:
        """The text with its contractions of 'not' written out."""
        return _CONTRACTED.sub(_open, self.text) if self.may_have("n't", "nt", "not", "n t") else self.text

    @cached_property
    def cased(self) -> tuple[str, ...]:
        """Its words as they are written."""
        return tuple(_TAIL.sub("", each) if "'" in each else each for each in _WORD.findall(self.opened))

    @cached_property
    def words(self) -> tuple[str, ...]:
        """Its words, in small letters."""
        return tuple(each.casefold() for each in self.cased)

    @cached_property
    def vocabulary(self) -> frozenset[str]:
        """Its words, each once."""
        return frozenset(self.words)

    @cached_property
    def stems(self) -> tuple[str, ...]:
        """Its words without endings."""
        return tuple(map(stem, self.words))

    @cached_property
    def roots(self) -> frozenset[str]:
        """Its stems, each once."""
        return frozenset(self.stems)

    @cached_property
    def content(self) -> tuple[str, ...]:
        """The stems of all but its function words."""
        both = zip(self.words, self.stems, strict=True)
        return tuple(root for word, root in both if word not in FUNCTION_WORDS)

    @cached_property
    def subjects(self) -> frozenset[str]:
        """The stems of all but its function words, each once."""
        return frozenset(self.content)

    @cached_property
    def spaced(self) -> str:
        """Its words in small letters, with one space around each: to look for phrases in."""
        return f" {' '.join(self.words)} "


def _open(found: re.Match[str]) -> str:
    said = found.group(0).lower()
    return _OPENED.get(said) or f"{_NOT.sub('', said)} not"


@lru_cache(maxsize=_KEPT)
def seen(text: str) -> Seen:
    """Return a text as the gates see it."""
    return Seen(text)


@lru_cache(maxsize=_KEPT)
def stem(word: str) -> str:
    """Return a word without its English ending; coarse, and the same for the same word."""
    for ending in ENDINGS if word.endswith(ENDINGS) else ():
        if word.endswith(ending) and len(word) - len(ending) >= _LONGEST_STEM_CUT and not word.endswith("ss"):
            cut = word[: -len(ending)]
            if ending in ("ied", "ies"):
                return cut + "y"
            doubled = len(cut) > _LONGEST_STEM_CUT and cut[-1] == cut[-2] and cut[-1] not in "ls"
            return (cut[:-1] if doubled else cut).rstrip("e") or cut
    return word.rstrip("e") if len(word) > _LONGEST_STEM_CUT else word


def of_text(work: Callable[[Seen], Said]) -> Callable[[Seen], Said]:
    """Return a function of one text that works once for each: a text is compared with several."""

    @wraps(work)
    def found(text: Seen) -> Said:
        if work not in text.known:
            text.known[work] = work(text)
        return text.known[work]  # type: ignore[return-value]

    return found


Gate = Callable[[Seen, Seen], "str | None"]
"""Of two texts: why they must not answer each other; None where it has nothing against it."""


def differing(what: str, first: object, second: object) -> str | None:
    """Return the reason why two things that must be equal are not."""
    return None if first == second else f"{what}: {_said(first)} and {_said(second)}"


def _said(thing: object) -> str:
    if isinstance(thing, (tuple, list, set, frozenset)):
        parts = sorted(map(str, thing))
        return ", ".join(parts)[:60] if parts else "none"
    return str(thing)[:60]
