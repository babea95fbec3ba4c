"""Recognizers for the rules of `[redaction]`: personal data that a pattern alone finds badly.

`phone` asks `phonenumbers`, Google's library of the world's numbering plans; `card` and `iban` look for what has the
form and let `python-stdnum` check the digits. Both libraries come with the extra `pii` and are imported by the rule
that needs them; forms are looked for in linear time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import attrs

from rtfs_framework.api import Recognizer

rtfs_api_version = 2

_EXTRA = 'pip install "rtfs-engine-security[pii]"'
_MOST_TRIES = 65_535
"""Places that look like a number and are none, before `phonenumbers` gives a text up: then it counts as one whole."""

_LEAST_IBAN, _MOST_IBAN = 15, 34


def recognizers() -> Mapping[str, Recognizer]:
    """Return the recognizers by their names."""
    return {
        "phone": Phones(),
        "card": Checked("stdnum.luhn", "python-stdnum", _card_runs),
        "iban": Checked("stdnum.iban", "python-stdnum", _iban_runs),
    }


@attrs.frozen(slots=True)
class Phones:
    """Telephone numbers, with or without the country: any that some country could have."""

    regions: tuple[str | None, ...] = (None, "US", "GB", "DE", "FR")
    """Whose way of writing numbers without a country is known; None for those that say their country."""

    def fingerprint(self) -> str:
        """Return the library and its version."""
        return _installed("phonenumbers")

    def find(self, text: str) -> Iterator[tuple[int, int]]:
        """Yield where numbers stand: with their country every possible one, without it those of a known form."""
        phones: Any = import_module("phonenumbers")
        found: list[tuple[int, int]] = []
        for region in self.regions:
            strict = phones.Leniency.POSSIBLE if region is None else phones.Leniency.VALID
            matcher = phones.PhoneNumberMatcher(text, region, leniency=strict, max_tries=_MOST_TRIES)
            found += [(match.start, match.end) for match in matcher]
        yield from _apart(found)


@attrs.frozen(slots=True)
class Checked:
    """Runs of a form whose digits are those of a real one."""

    module: str
    package: str
    runs: Callable[[str], Iterator[tuple[int, int]]]

    def fingerprint(self) -> str:
        """Return the library and its version."""
        return _installed(self.package)

    def find(self, text: str) -> Iterator[tuple[int, int]]:
        """Yield where they stand."""
        is_valid = import_module(self.module).is_valid
        for low, high in self.runs(text):
            compact = "".join(char for char in text[low:high] if char.isalnum())
            if is_valid(compact):
                yield low, high


def _card_runs(text: str) -> Iterator[tuple[int, int]]:
    """Yield the runs of 13 to 19 digits, single blanks and hyphens between them."""
    for low, high in _runs(text, str.isdecimal):
        if 13 <= sum(char.isdecimal() for char in text[low:high]) <= 19:
            yield low, high


def _iban_runs(text: str) -> Iterator[tuple[int, int]]:
    """Yield what begins at a word like an IBAN (two letters, two digits), the longest that checks first of each."""
    is_valid = import_module("stdnum.iban").is_valid
    end = 0
    for place in range(len(text) - 14):
        if place < end or (place and text[place - 1].isalnum()) or not _begins_iban(text[place : place + 4]):
            continue
        found = _longest(text, place, is_valid)
        if found:
            end = found
            yield place, end


def _begins_iban(four: str) -> bool:
    return four.isascii() and four[:2].isalpha() and four[2:].isdecimal()


def _longest(text: str, low: int, is_valid: Callable[[str], bool]) -> int:
    """Return the end of the longest number that begins at a place: at most 34 characters; 0 for none."""
    compact, ends = "", []
    for place in range(low, min(len(text), low + 2 * _MOST_IBAN)):
        char = text[place]
        if char in " -" and place and text[place - 1].isalnum():
            continue
        if not (char.isascii() and char.isalnum()) or len(compact) == _MOST_IBAN:
            break
        compact += char
        if len(compact) >= _LEAST_IBAN:
            ends.append((place + 1, compact))
    return next((end for end, number in reversed(ends) if is_valid(number)), 0)


def _runs(text: str, fits: Callable[[str], bool]) -> Iterator[tuple[int, int]]:
    """Yield runs of characters, single blanks and hyphens between them."""
    low, last = -1, -1
    for place, char in enumerate(text):
        if fits(char):
            low, last = (place if low < 0 else low), place
        elif low >= 0 and not (char in " -" and last == place - 1):
            yield low, last + 1
            low = -1
    if low >= 0:
        yield low, last + 1


def _apart(places: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Yield places in their order, those that overlap as one."""
    begin, end = -1, -1
    for low, high in sorted(places):
        if low < end:
            end = max(end, high)
            continue
        if begin >= 0:
            yield begin, end
        begin, end = low, high
    if begin >= 0:
        yield begin, end


def _installed(package: str) -> str:
    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:
        raise ModuleNotFoundError(f"{package} is not installed: {_EXTRA}", name=package) from None
