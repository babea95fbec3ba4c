"""Words of others, fit to be shown and kept: secrets struck out in whatever spelling they come back, on one line.

A server that refuses a key likes to quote it: as it is, without its line end, escaped as JSON, Python or a URL would,
in base64 (alone or inside `user:key`), in hexadecimal. In: the secrets. Out: a function from text to text. Every
character of a secret is looked for in each of its spellings, so that mixtures are found too.
"""

from __future__ import annotations

import re
import unicodedata
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator
from functools import cache

Blot = Callable[[str], str]

LEAST = 6
"""Characters of a secret that is worth hiding: shorter ones stand in any text."""

HIDDEN = "[secret]"

_SHORT = {"\n": "n", "\r": "r", "\t": "t", "\b": "b", "\f": "f", "\v": "v", "\0": "0"}
_BACK = r"\\{1,63}"
"""Escapes of escapes. Every repetition has a bound: a text of nothing but such marks must not be looked at for ever."""


def blotter(secrets: Iterable[str]) -> Blot:
    """Return a function that replaces known secrets (of 6 characters or more) and what UTF-8 cannot hold."""
    spellings = sorted({each for secret in secrets for each in _parts(secret)}, key=len, reverse=True)

    @cache
    def pattern(most: int | None) -> re.Pattern[str]:
        """Return what finds the first characters of every secret, or all of them (which takes long to compile)."""
        return re.compile("|".join(_pattern(each[:most]) for each in spellings))

    def blot(text: str) -> str:
        if not text:
            return text
        if spellings and pattern(LEAST).search(text):
            text = pattern(None).sub(HIDDEN, text)
        return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode("utf-8")

    return blot


def _parts(secret: str) -> Iterator[str]:
    """Yield a secret as it is, without what stands around it, without line ends, and line by line."""
    forms = {secret, secret.strip(), "".join(secret.splitlines()), *(line.strip() for line in secret.splitlines())}
    yield from (form for form in forms if len(form) >= LEAST)


def _pattern(secret: str) -> str:
    raw = secret.encode("utf-8", "surrogatepass")
    return "|".join(("".join(map(_character, secret)), *_base64(raw), _hexadecimal(raw)))


def _character(character: str) -> str:
    """Return a pattern of one character in all its spellings."""
    raw = character.encode("utf-8", "surrogatepass")
    units = character.encode("utf-16-be", "surrogatepass")
    words = [units[place : place + 2].hex() for place in range(0, len(units), 2)]
    number = ord(character)
    forms = [
        re.escape(character),
        "".join(f"%(?:25){{0,4}}{_digits(f'{byte:02x}')}" for byte in raw),
        "".join(f"{_BACK}[ux](?:00)?{_digits(f'{byte:02x}')}" for byte in raw),
        "".join(f"{_BACK}u{_digits(word)}" for word in words),
        f"{_BACK}x{_digits(f'{number:02x}')}",
        f"{_BACK}u\\{{0{{0,6}}{_digits(f'{number:x}')}\\}}",
        f"{_BACK}U{_digits(f'{number:08x}')}",
        f"&#0{{0,6}}{number};",
        f"&#[xX]0{{0,6}}{_digits(f'{number:x}')};",
    ]
    if len(raw) == 1:
        forms.append(f"{_BACK}0{{0,3}}{number:o}(?![0-7])")
    if character in _SHORT:
        forms.append(_BACK + _SHORT[character])
    if character in "\\\"'/":
        forms.append(_BACK + re.escape(character))
    if character == " ":
        forms.append(r"\+")
    return f"(?:{'|'.join(forms)})"


def _digits(digits: str) -> str:
    """Return a pattern of hexadecimal digits in either case."""
    return "".join(f"[{each}{each.upper()}]" if each.isalpha() else each for each in digits)


def _hexadecimal(raw: bytes) -> str:
    return "[: ]?".join(_digits(f"{byte:02x}") for byte in raw)


def _base64(raw: bytes) -> Iterator[str]:
    """Yield patterns of what is sure of a secret in base64, wherever in a longer text it stood, in both alphabets."""
    for before in range(3):
        coded = b64encode(b"\0" * before + raw).decode()
        first = (0, 2, 3)[before]
        last = len(coded) if (before + len(raw)) % 3 == 0 else len(coded.rstrip("=")) - 1
        sure = coded[first:last]
        if len(sure) >= LEAST:
            between = r"(?:\s|\\{1,63}[rn]){0,4}"
            yield between.join({"+": "[+-]", "/": r"(?:\\{0,63}/|_)"}.get(each, each) for each in sure)


def one_line(text: str, most: int = 300) -> str:
    """Return foreign words on one line of at most `most` characters; what cannot be seen is shown as its escape.

    That is control characters, marks that turn the direction of text, and halves of surrogate pairs.
    """
    line = " ".join(text[: 8 * most].split())
    if not line.isascii() or not line.isprintable():
        line = "".join(char if _is_plain(char) else _escaped(char) for char in line)
    return line if len(line) <= most else f"{line[: most - 1]}…"


def _is_plain(char: str) -> bool:
    return unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Zl", "Zp")


def _escaped(char: str) -> str:
    code = ord(char)
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}" if code < 65536 else f"\\U{code:08x}"
