"""Types of capabilities that are surely misspelled: any value fits a name that the language does not know.

A contract may name what a value means (`:url`, `Document`), so an unknown name is no mistake; one that is nearly a
type, or a type of another language, most likely is. Texts are looked through, not read: that costs a start nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from rtfs_framework.lang.types.names import PRIMITIVES, instead_of

_VALUES = re.compile(r'"(?:[^"\\]|\\.)*"|\[:(?:enum|val|and|in|>=?|<=?|=|min|max|regex|pattern)\b[^\[\]]*\]')
"""Texts, and what says values in place of types."""
_NAME = re.compile(r"(?<![\[\w:./-]):?([A-Za-z][\w-]*)\??")
"""A name that is no head: what stands first in brackets is a constructor, or the key of a map."""


def odd_types(entry: Any) -> Iterator[str]:
    """Yield a remark for each name in a capability's types that is surely meant to be another."""
    said = (*(entry._parameters or ()), entry._returns)  # as they are written: nothing is read
    for text in said:
        if isinstance(text, str):
            yield from _odd(text)


@lru_cache(maxsize=4096)
def _odd(text: str) -> tuple[str, ...]:
    names = dict.fromkeys(_NAME.findall(_VALUES.sub(" ", text)))
    found = ((name, _meant(name)) for name in names if name.lower() not in PRIMITIVES)
    return tuple(
        f"any value fits :{name} in {text}, which is no type of the language: {meant}" for name, meant in found if meant
    )


def _meant(name: str) -> str | None:
    """Return what is meant by a name; None of one that says what a value means."""
    near = next((each for each in PRIMITIVES if _is_slip(name.lower(), each)), None)
    return instead_of(name) or (None if near is None else f"did you mean ':{near}'?")


def _is_slip(word: str, meant: str) -> bool:
    """Tell whether a word has one slip of the fingers, and not in its first letter (Damerau 1964)."""
    if word[0] != meant[0]:
        return False
    short, long = sorted((word, meant), key=len)
    if len(short) < len(long):
        return any(long[:at] + long[at + 1 :] == short for at in range(len(long)))
    wrong = [at for at, (one, other) in enumerate(zip(word, meant, strict=False)) if one != other]
    if len(wrong) == 2:
        first, second = wrong
        return second == first + 1 and word[first] == meant[second] and word[second] == meant[first]
    return len(wrong) == 1 and len(short) == len(long)
