"""Quantifiers: how many, how often, how sure, at least and at most, which extreme. 'No' and its kind: `negation`."""

from __future__ import annotations

from rtfs_cache_similar.gates.seen import Seen, differing, of_text

_WORDS = {
    "all": "all every each everyone everybody everything everywhere entire whole always",
    "few": "few fewer fewest rarely seldom",
    "only": "only solely exclusively merely",
    "both": "both",
    "either": "either",
    "most": "most mostly majority usually generally",
    "minority": "minority",
    "several": "several multiple various numerous",
    "sometimes": "sometimes occasionally",
    "often": "often frequently",
    "exactly": "precisely",
    "about": "approximately roughly",
    "more": "more",
    "less": "less",
    "over": "exceeding above over",
    "under": "below beneath under",
    "least": "least",
    "max": "maximum max highest largest biggest greatest longest tallest heaviest strongest",
    "min": "minimum min lowest smallest tiniest shortest lightest weakest bottom",
    "best": "best top",
    "worst": "worst",
    "fast": "fastest",
    "slow": "slowest",
    "cheap": "cheapest",
    "dear": "priciest costliest",
    "average": "average",
    "median": "median",
    "total": "total sum overall",
    "must": "must mandatory required compulsory",
    "may": "optional optionally",
    "first": "firstly initial",
    "last": "final",
    "part": "partly partially part",
    "fully": "fully completely entirely totally",
    "another": "another",
    "almost": "almost nearly",
}
_CLASS = {word: name for name, words in _WORDS.items() for word in words.split()}
_PHRASES = {"at least": "at least", "at most": "at most", "no more than": "at most", "no less than": "at least",
            "more than": "more than", "less than": "less than", "up to": "at most", "as many as": "at most",
            "all but": "all but", "not all": "not all", "any of": "any", "one of": "one of",
            "some of": "some of", "the mean": "average", "arithmetic mean": "average"}  # fmt: skip

_LEFT_OUT = frozenset(
    {
        "best",
        "most",
        "more",
        "some of",
        "about",
        "must",
        "may",
        "several",
        "first",
        "last",
        "another",
        "total",
        "part",
        "fully",
        "sometimes",
        "often",
        "exactly",
        "over",
        "one of",
        "any of",
        "little",
    }
)
"""Quantifiers that may be left out; one in the place of another may count."""
_RIVALS = frozenset(
    {"best", "most", "more", "must", "may", "first", "last", "sometimes", "often", "fully", "part", "about", "exactly"}
)
_SAYS_LITTLE = frozenset({"some of", "one of"})
"""What may stand in the place of any other that may be left out: 'some of the most' says no more than 'the most'."""

_VAGUE = frozenset({"some", "any", "many"})


def gate(first: Seen, second: Seen) -> str | None:
    """Close where the quantifiers differ."""
    mine, others = set(quantifiers(first)), set(quantifiers(second))
    only, theirs = (each - _SAYS_LITTLE for each in (mine - others, others - mine))
    if (only | theirs) - _LEFT_OUT or (only and theirs and (only | theirs) & _RIVALS):
        return differing("quantifiers", mine, others)
    return _small(first, second) or _some(first, second)


@of_text
def quantifiers(text: Seen) -> tuple[str, ...]:
    """Return the quantifiers of a text, each under one name, sorted."""
    found = {_CLASS[word] for word in text.words if word in _CLASS}
    found |= {name for phrase, name in _PHRASES.items() if f" {phrase} " in text.spaced}
    return tuple(sorted(found))


@of_text
def _with_article(text: Seen) -> frozenset[str]:
    return frozenset(word for word in ("few", "little", "bit") if f" a {word} " in text.spaced)


def _small(first: Seen, second: Seen) -> str | None:
    """Compare 'few' and 'a few', 'little' and 'a little'."""
    both = first.vocabulary & second.vocabulary & {"few", "little"}
    return differing("quantifiers", _with_article(first) & both, _with_article(second) & both)


def _some(first: Seen, second: Seen) -> str | None:
    """Compare 'some', 'any' and 'many', which say little alone, where each text has another."""
    mine, others = (_VAGUE & each.vocabulary for each in (first, second))
    return differing("quantifiers", mine, others) if mine and others else None
