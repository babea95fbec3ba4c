"""Patterns in text. RE2 matches them in time linear in the text, whatever the pattern.

In: a pattern as text, then a string. Out: matched text, vectors of it, nil where nothing matches. The language of
patterns is in rtfs_framework.lang.pattern; a bad pattern is a Generic error.
"""

from __future__ import annotations

import re
from typing import Any

from rtfs_framework.lang.errors import generic_error, invalid_argument
from rtfs_framework.lang.meter import charge, fits, watched
from rtfs_framework.lang.pattern import BadPattern, Pattern, compile_pattern
from rtfs_framework.stdlib.check import string
from rtfs_framework.stdlib.table import builtin


def _ready(op: str, pattern: Any, text: Any) -> tuple[Pattern, bytes]:
    """Return the compiled pattern and the text as UTF-8."""
    source, subject = string(op, pattern), string(op, text)
    try:
        compiled = compile_pattern(source)
    except BadPattern as error:
        raise generic_error(f"Invalid regex pattern: {error}") from None
    charge(len(subject))
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
def re_matches(pattern: Any, text: Any) -> str | None:
    compiled, subject = _ready("re-matches", pattern, text)
    return text if compiled.fullmatch(subject) else None


@builtin(
    "re-find",
    ('(re-find "[a-z]+" "12ab34")', '"ab"'),
    ('(re-find "x" "abc")', "nil"),
    doc="Give the first match of a pattern in a string, or nil.",
)
def re_find(pattern: Any, text: Any) -> str | None:
    compiled, subject = _ready("re-find", pattern, text)
    spans = compiled.search(subject)
    return subject[slice(*spans[0])].decode() if spans else None


@builtin(
    "re-groups",
    ('(re-groups "(\\\\d+)-(\\\\d+)" "10-20")', '["10-20" "10" "20"]'),
    ('(re-groups "(a)|(b)" "b")', '["b" nil "b"]'),
    ('(re-groups "x" "abc")', "nil"),
    doc="Give the first match of a pattern and the text of each of its groups, or nil.",
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
def re_seq(pattern: Any, text: Any) -> tuple[str, ...]:
    compiled, subject = _ready("re-seq", pattern, text)
    return tuple([subject[low:high].decode() for low, high in watched(compiled.spans(subject))])


@builtin(
    "re-split",
    ('(re-split "\\\\s*,\\\\s*" "a , b,c")', '["a" "b" "c"]'),
    doc="Split a string at every match of a pattern that is not empty.",
)
def re_split(pattern: Any, text: Any) -> tuple[str, ...]:
    compiled, subject = _ready("re-split", pattern, text)
    pieces, done = [], 0
    for low, high in watched(compiled.spans(subject)):
        if high > low:
            pieces.append(subject[done:low].decode())
            done = high
    return (*pieces, subject[done:].decode())


_REFERENCE = re.compile(r"\$(\$|[0-9]|\{[0-9]{1,2}\})")


@builtin(
    "re-replace",
    ('(re-replace "(\\\\w+)@\\\\w+" "ann@x bob@y" "$1")', '"ann bob"'),
    ('(re-replace "[aeiou]" "banana" "")', '"bnn"'),
    doc="Replace every match of a pattern; in the new text $1 is a group, $0 the match, $$ a dollar sign.",
)
def re_replace(pattern: Any, text: Any, new: Any) -> str:
    compiled, subject = _ready("re-replace", pattern, text)
    pieces: list[str] = []
    done = size = 0
    for spans in watched(compiled.matches(subject)):
        low, high = spans[0]
        made = _filled(string("re-replace", new), [subject[slice(*s)].decode() if s[0] >= 0 else "" for s in spans])
        pieces += (subject[done:low].decode(), made)
        done = high
        size += len(pieces[-2]) + len(made)
        fits("re-replace", size)
        charge(len(made) >> 3)
    string("re-replace", new)
    return "".join(pieces) + subject[done:].decode()


def _filled(template: str, groups: list[str]) -> str:
    if "$" not in template:
        return template

    def group(found: re.Match[str]) -> str:
        name = found.group(1).strip("{}")
        if name == "$":
            return "$"
        if int(name) >= len(groups):
            raise invalid_argument(f"Pattern has no group {int(name)}")
        return groups[int(name)]

    return _REFERENCE.sub(group, template)
