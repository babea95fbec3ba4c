"""Words, phrases and expressions, matched by RE2 in time linear in the text, whatever was written in the rule file.

Words are looked for in a text's tokens (lower case, one space between them and at both ends), so that a word's edge is
a space in every script; expressions are looked for in the text itself. All entries of a file become one automaton of
each kind, so a text is read once however many there are. RE2 was chosen over `regex` with a time-out because it cannot
be made slow at all: a time-out only limits how long a host stalls, and makes answers depend on the machine's load.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

import re2  # type: ignore[import-untyped,unused-ignore]

_TOKEN = re.compile(r"\w+(?:'\w+)*|[^\w\s]")
_FEW_TOKENS = "(?:[^ ]+ ){0,2}"
_PROBES = ("", "x", "7", "!")
_MOST_MEMORY = 64 << 20
_TYPOGRAPHIC = {0x2018: "'", 0x2019: "'", 0x02BC: "'", 0x201C: '"', 0x201D: '"', 0x00A0: " "}


class BadPattern(ValueError):
    """A pattern that cannot be used; the message says why."""


def prepared(text: str) -> str:
    """Return a text as expressions see it: composed characters, straight quotes, no half characters."""
    if text.isascii():
        return text
    text = unicodedata.normalize("NFC", text).translate(_TYPOGRAPHIC)
    return text.encode("utf-8", "replace").decode()


def tokens(prepared_text: str) -> str:
    """Return a prepared text as words see it: its tokens in lower case, with spaces around each."""
    return f" {' '.join(_TOKEN.findall(prepared_text.lower()))} "


def word_regex(word: str) -> str:
    """Return the expression that finds a word or phrase in tokens; a `*` at the end stands for any ending.

    Raises:
        BadPattern: It holds nothing to find, or a `*` elsewhere.
    """
    return f" {_core(word)}"


def negated_regex(word: str, negators: Sequence[str]) -> str:
    """Return the expression that finds a word or phrase with a negator within the three words before it."""
    words = "|".join(["[^ ]+n't", *(re2.escape(tokens(prepared(each)).strip()) for each in negators)])
    return f" (?:{words}) {_FEW_TOKENS}{_core(word)}"


def _core(word: str) -> str:
    stem = word.strip().rstrip("*")
    opened = stem != word.strip()
    found = tokens(prepared(stem))[1:]
    if "*" in stem:
        raise BadPattern(f"in {word!r} the * does not stand at the end; use a regex")
    if not found.strip():
        raise BadPattern(f"{word!r} holds no word")
    return str(re2.escape(found[:-1] if opened else found))


def compiled(regex: str) -> re2._Regexp:
    """Return one compiled expression.

    Raises:
        BadPattern: It is not in RE2's language, is too large, or occurs in every text.
    """
    try:
        found = re2.compile(regex, _options())
    except UnicodeEncodeError as error:
        raise BadPattern("it holds half a character") from error
    except re2.error as error:
        reason = error.args[0] if error.args else "not an expression"
        raise BadPattern(reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)) from error
    if all(found.search(probe) is not None for probe in _PROBES):
        raise BadPattern("it occurs in every text")
    return found


class PatternSet:
    """Many expressions as one automaton."""

    def __init__(self, regexes: Sequence[str]) -> None:
        self._set = re2.Set.SearchSet(_options())
        self._empty = not regexes
        for regex in regexes:
            self._set.Add(regex)
        if regexes:
            try:
                self._set.Compile()
            except re2.error as error:
                raise BadPattern(f"these {len(regexes)} patterns take more memory together than is allowed") from error

    def match(self, text: str) -> list[int]:
        """Return the numbers of the expressions that occur in a text, in no particular order."""
        return [] if self._empty else list(self._set.Match(text) or ())


def _options() -> re2.Options:
    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    options.max_mem = _MOST_MEMORY
    return options
