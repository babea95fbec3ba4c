r"""Regular expressions as RTFS writes them, matched by RE2 in time linear in the text.

In: a pattern as text, subjects as UTF-8. Out: spans of bytes. The language is that of the Rust crate `regex` as far as
RE2 has it: no look-around and no back-references. `\d`, `\w`, `\s` and their opposites know all of Unicode, but inside
brackets `\W` and `\S` are of ASCII only, as is `\b` everywhere. A repetition counts to at most 1000.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

Span = tuple[int, int]

_MOST_MEMORY = 8 << 20
"""Bytes that one compiled pattern may take."""
_MOST_CHARACTERS = 10_000
_UNICODE = {
    "d": r"\p{Nd}",
    "D": r"\P{Nd}",
    "w": r"\p{L}\p{M}\p{N}\p{Pc}",
    "s": r"\t\n\v\f\r \x{85}\p{Z}",
}
_OPPOSITES = {"W": "w", "S": "s"}
_REFUSED = frozenset("CQE123456789")
"""Escapes of RE2 that Rust does not have (`\\C` even splits characters), and back-references."""


class BadPattern(ValueError):
    """A pattern that is not in the language; the message says what is wrong."""


class Pattern:
    """A compiled pattern. Subjects are UTF-8; a span of (-1, -1) is a group that took no part."""

    __slots__ = ("_regexp",)

    def __init__(self, regexp: Any) -> None:
        self._regexp = regexp

    def fullmatch(self, subject: bytes) -> bool:
        """Tell whether the pattern matches all of the subject."""
        return self._regexp.fullmatch(subject) is not None

    def search(self, subject: bytes) -> list[Span] | None:
        """Return the spans of the first match and its groups, or None."""
        return next(self.matches(subject), None)

    def matches(self, subject: bytes) -> Iterator[list[Span]]:
        """Yield the spans of every match and its groups; matches do not overlap."""
        groups = range(self._regexp.groups + 1)
        last = -1
        for match in self._regexp.finditer(subject):
            low, high = match.span()
            if low == high and (low == last or _inside_character(subject, low)):
                continue
            last = high
            yield [match.span(group) for group in groups]

    def spans(self, subject: bytes) -> Iterator[Span]:
        """Yield the span of every match."""
        return (spans[0] for spans in self.matches(subject))


def _inside_character(subject: bytes, place: int) -> bool:
    return place < len(subject) and subject[place] & 0xC0 == 0x80


@lru_cache(maxsize=512)
def compile_pattern(text: str) -> Pattern:
    """Return the compiled pattern.

    Raises:
        BadPattern: it is not in the language, or takes too much memory.
    """
    import re2  # type: ignore[import-not-found,import-untyped,unused-ignore]

    if len(text) > _MOST_CHARACTERS:
        message = f"pattern has more than {_MOST_CHARACTERS} characters"
        raise BadPattern(message)
    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MOST_MEMORY
    try:
        return Pattern(re2.compile(_translated(text).encode(), options))
    except re2.error as error:
        raise BadPattern(_words(error)) from None
    except UnicodeEncodeError:
        message = "pattern has half a character (a lone surrogate)"
        raise BadPattern(message) from None


def _words(error: Exception) -> str:
    reason = error.args[0] if error.args else "not a pattern"
    return reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)


def _translated(text: str) -> str:
    """Return the pattern with the classes of RTFS spelled out for RE2."""
    out: list[str] = []
    brackets = False
    place = 0
    while place < len(text):
        char = text[place]
        if char == "\\":
            escape = text[place + 1 : place + 2]
            out.append(_escape(escape, brackets=brackets))
            place += 2
            continue
        if char == "[" and not brackets:
            brackets = True
            # A bracket that comes first is a member of the class.
            opening = "[^" if text.startswith("[^", place) else "["
            place += len(opening)
            if text.startswith("]", place):
                opening, place = opening + r"\]", place + 1
            out.append(opening)
            continue
        if char == "[" and text.startswith("[:", place) and (end := text.find(":]", place)) > 0:
            out.append(text[place : end + 2])
            place = end + 2
            continue
        if char == "]":
            brackets = False
        out.append(char)
        place += 1
    return "".join(out)


def _escape(letter: str, *, brackets: bool) -> str:
    if letter in _REFUSED and letter:
        message = f"\\{letter} is not supported (back-references, \\C and \\Q are not in the language)"
        raise BadPattern(message)
    if letter in _UNICODE:
        return _UNICODE[letter] if brackets or letter in {"d", "D"} else f"[{_UNICODE[letter]}]"
    if letter in _OPPOSITES and not brackets:
        return f"[^{_UNICODE[_OPPOSITES[letter]]}]"
    return f"\\{letter}"
