r"""Regular expressions as RTFS writes them, matched by RE2 in time linear in the text.

In: a pattern as text, subjects as UTF-8. Out: spans of bytes. The language is that of the Rust crate `regex` as far as
RE2 has it: no look-around and no back-references. `\d`, `\w`, `\s` and their opposites know all of Unicode, but inside
brackets `\W` and `\S` are of ASCII only, as is `\b` everywhere. A repetition counts to at most 1000.
"""

from __future__ import annotations

import re
from functools import lru_cache

from rtfs_framework.lang.annotations import Any, Iterator

Span = tuple[int, int]

MOST_WORK = 100_000_000
"""Characters times places of a pattern that one search may look at: matching cannot be interrupted."""
_MEMORY, _MOST_MEMORY = 1 << 20, 8 << 20
"""Bytes that a compiled pattern may take, and a large one."""
_KEPT, _KEPT_LARGE = 32, 4
"""Patterns that are kept compiled: 64 MiB together at most."""
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

    __slots__ = ("_regexp", "breadth")

    def __init__(self, regexp: Any, breadth: int) -> None:
        self._regexp = regexp
        self.breadth = breadth
        """How many places of the pattern fit several characters: so many ways through it may be open at once."""

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


def compile_pattern(text: str) -> Pattern:
    """Return the compiled pattern.

    Raises:
        BadPattern: it is not in the language, or takes too much memory.
    """
    if len(text) > _MOST_CHARACTERS:
        message = f"pattern has more than {_MOST_CHARACTERS} characters"
        raise BadPattern(message)
    return _usual(text) or _large(text)


@lru_cache(_KEPT)
def _usual(text: str) -> Pattern | None:
    """Return the compiled pattern, or None if it is a large one."""
    try:
        return _compiled(text, _MEMORY)
    except BadPattern as error:
        if "too large" in str(error):
            return None
        raise


@lru_cache(_KEPT_LARGE)
def _large(text: str) -> Pattern:
    return _compiled(text, _MOST_MEMORY)


def _compiled(text: str, memory: int) -> Pattern:
    import re2  # type: ignore[import-not-found,import-untyped,unused-ignore]

    options = re2.Options()
    options.log_errors = False
    options.max_mem = memory
    try:
        return Pattern(re2.compile(_translated(text).encode(), options), _breadth(text))
    except re2.error as error:
        raise BadPattern(_words(error)) from None
    except UnicodeEncodeError:
        message = "pattern has half a character (a lone surrogate)"
        raise BadPattern(message) from None
    finally:
        re2.purge()  # it would keep 128 patterns of its own


_TOKEN = re.compile(
    r"(?P<many>\\[dDwWsSpPX]|\.|\[\^?\]?(?:\\.|\[:\w+:\]|[^\]\\])*\])|\\."
    r"|(?P<times>\{(\d+)(,\d*)?\})|[*+?()|]|.",
    re.DOTALL,
)


def _breadth(text: str) -> int:
    """Return how many places of a pattern fit several characters, repetitions written out."""
    sums, last = [1], 0
    for found in _TOKEN.finditer(text):
        token = found.group()
        if found["many"]:
            last = 1
        elif found["times"]:
            most = max(map(int, re.findall(r"\d+", token)))
            last = max(last, int("," in token)) * most
        elif token == "(":
            sums.append(0)
            continue
        elif token == ")" and len(sums) > 1:
            last = sums.pop()
        else:
            last = int(token in "*+?|")
        sums[-1] += last
    return sum(sums)


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
