"""What is only looked for where it may be: a text that is looked through for everything says the same."""

from __future__ import annotations

import random

import pytest

from rtfs_cache_similar.gates import (
    code,
    currencies,
    dates,
    flags,
    language,
    letters,
    names,
    negation,
    numbers,
    operators,
    paths,
    quantifiers,
    quoted,
    symbols,
    units,
    versions,
)
from rtfs_cache_similar.gates.seen import Seen
from rtfs_framework.testing.effort import effort

OF_TEXT = (
    symbols.symbols, operators.operators, letters.letters, numbers.signs_said,
    code.pieces, currencies.currencies, dates.points, flags.flags, language.language, language.scripts, names.names,
    negation.denied, numbers.numbers, paths.paths, quantifiers.quantifiers, quoted.quoted, units.units,
    versions.versions,
)  # fmt: skip
PIECES = (
    "10", "3.5", "v2", "$", "US$", "\u20ac", "isn't", "dont", "cannot", "NOT", "o'clock", "quarter to", "half past",
    "12/05/2020", "a.b", "file.txt", "/usr/bin", "x@y.z", "#tag", "--force", "-x", "a=b", "C++", "fooBar", "Foo_bar",
    "\u0130s", "\u0131sn't", "\u017ftop", "\u212a", "5km", "5 \u00b0C", "3\u00b5m", "10Mb/s", "km / h", "top 10",
    "BEST five", "II", "XIV", "%", "100k", "3 lakh", "2nd", "FREE", "sugar-free", "useless", "waterproof", ":)", "^^",
    "\u201cq\u201d", "'q'", '"q', "\u00e9t\u00e9", "\u041f\u0440\u0438\u0432\u0435\u0442", "\u4e2d\u6587", "US", "rs",
    "RS", "May", "night", "2x", "1,000", "-5", "one", "first", "3 p.m.", "AIN'T", ".NET", "a_b", "`x`", "f(x)", "tHe",
    "\u200b", "\ufb01", "\u2460", "\u00b2", "\u0663", "C:\\x", "What", "is", "the", "way", "Paris", "end.Then", "a|b",
    "a+b", "2 - 3", "x\u00d7y", "minus five", "option a", ":(", "\U0001f642", "don t", "do n't", "CAN T",
    "all", "more than", "some of", "how do I",
)  # fmt: skip


class Everything(frozenset):
    """Characters of which a text may have any."""

    def isdisjoint(self, others):
        return False

    def __contains__(self, sign):
        return True

    def __le__(self, others):
        return False


class Thorough(Seen):
    """A text that may have everything."""

    signs, counts, dotted = Everything(), True, True

    def may_have(self, *pieces):
        return True


@pytest.mark.parametrize("work", OF_TEXT, ids=lambda work: work.__name__)
def test_a_shortcut_leaves_nothing_out(work):
    chance, found = random.Random(work.__name__), 0
    for _ in range(effort(600)):
        text = " ".join(chance.choices(PIECES, k=chance.randint(1, 5)))
        said = work(Thorough(text))
        assert work(Seen(text)) == said, text
        found += bool(said)
    assert found >= 3


def test_a_text_says_a_thing_once():
    text = Seen("What costs 5 dollars?")
    assert numbers.numbers(text) is numbers.numbers(text)
    assert numbers.numbers(text) == ("5",)
