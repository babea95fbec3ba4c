"""Patterns in text. RE2 matches them in time linear in the text, whatever the pattern.

In: a pattern as text, then a string. Out: matched text, vectors of it, nil where nothing matches. The language of
patterns is in rtfs_framework.lang.pattern; a bad pattern is a Generic error.
"""

from __future__ import annotations

import re

from rtfs_framework.lang.annotations import Any, Iterable, Iterator, TypeVar
from rtfs_framework.lang.errors import LimitError, generic_error, invalid_argument
from rtfs_framework.lang.meter import Growing, charge, made, meter
from rtfs_framework.lang.pattern import MOST_WORK, BadPattern, Pattern, Span, compile_pattern
from rtfs_framework.stdlib import shorthand as ty
from rtfs_framework.stdlib.check import string
from rtfs_framework.stdlib.strings import PIECE
from rtfs_framework.stdlib.table import builtin

T = TypeVar("T")

_MANY = (1 << 14) - 1
_BETWEEN = 1 << 22
"""Characters that may be searched between two looks at the limits."""


def _ready(op: str, pattern: Any, text: Any) -> tuple[Pattern, bytes]:
    """Return the compiled pattern and the text as UTF-8."""
    source, subject = string(op, pattern), string(op, text)
    try:
        compiled = compile_pattern(source)
    except BadPattern as error:
        raise generic_error(f"Invalid regex pattern: {error}") from None
    charge(len(subject))
    if compiled.breadth * len(subject) > MOST_WORK:
        text = f"{op}: a pattern of {compiled.breadth} places that fit several characters, in {len(subject)} characters"
        raise LimitError("pattern", MOST_WORK, f"{text}, may take more than {MOST_WORK} comparisons")
    meter().look()
    try:
        return compiled, subject.encode()
    except UnicodeEncodeError:
        raise invalid_argument("String has half a character (a lone surrogate)") from None


@builtin(
    "re-matches",
    ('(re-matches "[0-9]+" "123")', '"123"'),
    ('(re-matches "[0-9]+" "a1b")', "nil"),
    ('(re-matches "(" "x")', "!Generic"),
    doc="Give a string if the pattern matches all of it, else nil.",
)
def re_matches(pattern: ty.string, text: ty.string) -> str | None:
    compiled, subject = _ready("re-matches", pattern, text)
    return text if compiled.fullmatch(subject) else None


@builtin(
    "re-find",
    ('(re-find "[a-z]+" "12ab34")', '"ab"'),
    ('(re-find "x" "abc")', "nil"),
    doc="Give the first match of a pattern in a string, or nil.",
)
def re_find(pattern: ty.string, text: ty.string) -> str | None:
    compiled, subject = _ready("re-find", pattern, text)
    spans = compiled.search(subject)
    return subject[slice(*spans[0])].decode() if spans else None


@builtin(
    "re-groups",
    ('(re-groups "(\\\\d+)-(\\\\d+)" "10-20")', '["10-20" "10" "20"]'),
    ('(re-groups "(a)|(b)" "b")', '["b" nil "b"]'),
    ('(re-groups "x" "abc")', "nil"),
    doc="Give the first match of a pattern and the text of each of its groups, or nil.",
    types=("[:fn [:string :string] [:optional [:vector [:optional :string]]]]",),
)
def re_groups(pattern: Any, text: Any) -> tuple[str | None, ...] | None:
    compiled, subject = _ready("re-groups", pattern, text)
    spans = compiled.search(subject)
    if not spans:
        return None
    return tuple([subject[low:high].decode() if low >= 0 else None for low, high in spans])


@builtin(
    "re-seq",
    ('(re-seq "[0-9]" "a1b2c3")', '["1" "2" "3"]'),
    ('(re-seq "z" "abc")', "[]"),
    doc="Give every match of a pattern in a string.",
)
def re_seq(pattern: ty.string, text: ty.string) -> tuple[str, ...]:
    compiled, subject = _ready("re-seq", pattern, text)
    return made(tuple([subject[low:high].decode() for low, high in _looked(subject, compiled.spans(subject))]))


@builtin(
    "re-split",
    ('(re-split "\\\\s*,\\\\s*" "a , b,c")', '["a" "b" "c"]'),
    doc="Split a string at every match of a pattern that is not empty.",
)
def re_split(pattern: ty.string, text: ty.string) -> tuple[str, ...]:
    compiled, subject = _ready("re-split", pattern, text)
    pieces, done = [], 0
    for low, high in _looked(subject, compiled.spans(subject)):
        if high > low:
            pieces.append(subject[done:low].decode())
            done = high
    pieces.append(subject[done:].decode())
    return made(tuple(pieces))


_REFERENCE = re.compile(r"\$(\$|[0-9]|\{[0-9]{1,2}\})")


@builtin(
    "re-replace",
    ('(re-replace "(\\\\w+)@\\\\w+" "ann@x bob@y" "$1")', '"ann bob"'),
    ('(re-replace "[aeiou]" "banana" "")', '"bnn"'),
    doc="Replace every match of a pattern; in the new text $1 is a group, $0 the match, $$ a dollar sign.",
)
def re_replace(pattern: ty.string, text: ty.string, new: ty.string) -> str:
    compiled, subject = _ready("re-replace", pattern, text)
    pieces: list[str] = []
    done, size = 0, Growing("re-replace")
    for spans in _looked(subject, compiled.matches(subject)):
        low, high = spans[0]
        size.add(low - done)
        pieces.append(subject[done:low].decode())
        done = high
        pieces += _filled(string("re-replace", new), subject, spans, size)
    string("re-replace", new)
    return "".join(pieces) + subject[done:].decode()


def _filled(template: str, subject: bytes, spans: list[Span], size: Growing) -> Iterator[str]:
    """Yield the pieces of a template in which the groups of a match are put."""
    done = 0
    for found in _REFERENCE.finditer(template):
        size.add(found.start() - done)
        yield template[done : found.start()]
        done = found.end()
        name = found.group(1).strip("{}")
        if name == "$":
            yield "$"
            continue
        if int(name) >= len(spans):
            raise invalid_argument(f"Pattern has no group {int(name)}")
        low, high = spans[int(name)]
        if low >= 0:
            size.add(high - low)
            yield subject[low:high].decode()
    size.add(len(template) - done)
    yield template[done:]


def _looked(subject: bytes, matches: Iterable[T]) -> Iterator[T]:
    """Yield matches, with looks at the limits: what was searched for each may be all that is left of the text."""
    often = max(_BETWEEN // (len(subject) + 1), 1)
    for number, each in enumerate(matches):
        if number % often == 0:
            meter().look()
        if number & _MANY == _MANY:
            meter().reserve(PIECE * number)
        yield each
