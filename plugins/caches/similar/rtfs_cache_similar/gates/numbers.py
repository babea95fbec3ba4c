"""Numbers: in digits, in words, as ordinals, as shares. Both texts must name the same ones, equally often."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rtfs_cache_similar.gates.lists import words
from rtfs_cache_similar.gates.seen import Seen, differing, of_text, seen

_DIGITS = re.compile(r"(?<![\d.,])[-+]?(?:\d{1,3}(?:[,\u202f ]\d{3})+|\d+)(?:\.\d+)?(?:/\d+)?")
_SIGN = re.compile(r"(?<![\w)\]])[-+](?=\.?\d)")
_ORDINAL = re.compile(r"(\d)(?:st|nd|rd|th)\b", re.IGNORECASE)
_SCALED = re.compile(r"(\d)\s?(k|m|bn|lakh|crore)\b", re.IGNORECASE)
_SMALL = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_ORDINALS = [
    "zeroth",
    "first",
    "second",
    "third",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
    "ninth",
    "tenth",
    "eleventh",
    "twelfth",
    "thirteenth",
    "fourteenth",
    "fifteenth",
    "sixteenth",
    "seventeenth",
    "eighteenth",
    "nineteenth",
]
_VALUES = {
    **{word: number for number, word in enumerate(_SMALL)},
    **{word: 10 * (number + 2) for number, word in enumerate(_TENS)},
}
_BIG = {"hundred": 100, "thousand": 1_000, "lakh": 100_000, "million": 10**6, "crore": 10**7, "billion": 10**9,
        "trillion": 10**12}  # fmt: skip
_PLAIN = {"dozen": "12", "dozens": "12", "half": "0.5", "quarter": "0.25", "twice": "2x", "double": "2x",
          "once": "1x", "thrice": "3x", "triple": "3x", "single": "1", "couple": "2", "pair": "2", "percent": "%",
          "percentage": "%"}  # fmt: skip
_PLAIN.update({word: f"#{number}" for number, word in enumerate(_ORDINALS)})
_COUNTING = frozenset((*_VALUES, *_BIG, *_PLAIN))
_ROMAN = re.compile(r"(?<=[a-z] )(?=[IVX]{2,})(?:X{0,3})(?:IX|IV|V?I{0,3})\b")
_MAY_BE_ROMAN = re.compile(r"[IVX]{2}")
_BIG_AFTER = re.compile(r"\s*(?:hundred|thousand|lakh|million|crore|billion|trillion|minute|hour)\b", re.IGNORECASE)
_NOT_ONE = frozenset({"one", "first", "second", "quarter", "couple", "pair", "single", "dozens", "percentage"})
"""Words that are numbers at times only: they are compared as words."""
_SAID = frozenset({"one", "single", "first", "couple"})
"""Those of them that may be left out; in the place of another of them they count."""
_MINUS = words("minus negative moins menos meno miinus \u043c\u0438\u043d\u0443\u0441 m\u00ednusz eksi min")
_ELSEWHERE = words(
    "ein eins zwei drei vier f\u00fcnf sechs sieben acht neun zehn zwanzig un deux trois quatre cinq sept",
    "huit neuf dix",
    "uno dos tres cuatro cinco seis siete ocho nueve diez due tre quattro cinque sei sette otto nove dieci dois",
    "quatro sete oito dez een twee vijf zes zeven negen tien ett tv\u00e5 fyra fem sju \u00e5tta nio tio",
    "dwa trzy cztery",
    "pi\u0119\u0107 sze\u015b\u0107 siedem osiem \u0434\u0432\u0430 \u0442\u0440\u0438",
    "\u043f\u044f\u0442\u044c \u0434\u0435\u0441\u044f\u0442\u044c bir iki be\u015f on",
)
"""Number words of other languages, to know a sign before one."""
_LISTED = re.compile(rf"\b(top|best) (?:[3-9]|\d{{2,3}}|{'|'.join(_SMALL[3:])}|twenty|fifty)\b", re.IGNORECASE)


def gate(first: Seen, second: Seen) -> str | None:
    """Close where the numbers differ. That a list is to be of ten ('the top ten films') may be left out."""
    if _of_list(first) != _of_list(second):
        first, second = (seen(_LISTED.sub(r"\1", each.text)) for each in (first, second))
    signs = differing("signs", signs_said(first), signs_said(second))
    return signs or differing("numbers", numbers(first), numbers(second)) or _loose(first, second)


@of_text
def _of_list(text: Seen) -> bool:
    return text.may_have("top ", "best ") and _LISTED.search(text.text) is not None


@of_text
def signs_said(text: Seen) -> tuple[str, ...]:
    """Return the number or the word after each sign that is said in words: 'minus five', 'negative 3'."""
    if text.vocabulary.isdisjoint(_MINUS):
        return ()
    said = zip(text.words, text.words[1:], strict=False)
    return tuple(after for sign, after in said if sign in _MINUS and (sign == "minus" or _number(after)))


def _number(word: str) -> bool:
    return word.isdigit() or word in _VALUES or word in _BIG or word in _ELSEWHERE


@of_text
def numbers(text: Seen) -> tuple[str, ...]:
    """Return the numbers of a text, each in one form, sorted."""
    return tuple(sorted([*_in_digits(text), *_in_words(text)]))


def _in_digits(text: Seen) -> Iterator[str]:
    if text.counts:
        yield from _with_digits(text)
    yield from ("%" for _ in range(text.text.count("%")))
    if _MAY_BE_ROMAN.search(text.text):
        yield from (f"roman {found.group(0)}" for found in _ROMAN.finditer(text.text))


def _with_digits(text: Seen) -> Iterator[str]:
    plain = _ORDINAL.sub(r"\1 ", text.text)
    ordinals = {found.end() for found in _ORDINAL.finditer(text.text)}
    plain = _SCALED.sub(r"\1 \2 ", plain)
    for found in _DIGITS.finditer(plain):
        said = re.sub(r"[,\u202f ]", "", found.group(0))
        signed = said if _SIGN.match(plain, found.start()) else said.lstrip("+-")
        digits = signed.lstrip("+")
        canonical = digits.rstrip("0").rstrip(".") if "." in digits else re.sub(r"^(-?)0+(?=\d)", r"\1", digits)
        if canonical != "1" or not _BIG_AFTER.match(plain, found.end()):
            yield canonical
    yield from ("#" for _ in ordinals)
    yield from (f"scale {found.group(2).lower()}" for found in _SCALED.finditer(text.text))


def _in_words(text: Seen) -> Iterator[str]:
    total, under_way = 0, False
    if text.vocabulary.isdisjoint(_COUNTING):
        return
    for word in (*text.words, ""):
        value = _VALUES.get(word)
        if word == "one" and not under_way:
            value = None  # 'the best one'
        if word in _BIG and under_way:
            total *= _BIG[word]
        elif word in _BIG:
            yield f"scale {word}"
        elif value is not None and word not in _NOT_ONE:
            if under_way and not (total >= 20 and total % 10 == 0 and value < max(10, total % 100 or 100)):
                yield str(total)
                total = 0
            total, under_way = total + value, True
        else:
            if under_way:
                yield str(total)
            total, under_way = 0, False
            if word in _PLAIN and word not in _NOT_ONE:
                yield _PLAIN[word]


def _loose(first: Seen, second: Seen) -> str | None:
    """Compare words such as 'second': a number in one text, and in the other something else, or nothing."""
    mine, others = (each.vocabulary & _NOT_ONE for each in (first, second))
    alone, theirs = mine - others - _SAID, others - mine - _SAID
    return differing("numbers", mine, others) if alone or theirs or (mine and others and mine != others) else None
