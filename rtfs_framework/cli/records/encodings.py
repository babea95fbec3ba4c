"""Which encoding an input has: as the user says, as its byte-order mark says, else UTF-8."""

from __future__ import annotations

import codecs

from rtfs_framework.cli.problems import BAD_CHOICE, ENCODING, USAGE, problem
from rtfs_framework.cli.records.lines import UTF8
from rtfs_framework.lang.diagnostics import did_you_mean

_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_USUAL = ("utf-8", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1", "cp1252", "cp437", "mac-roman", "shift-jis")
_NO_TEXTS = frozenset({"idna", "punycode", "undefined", "unicode-escape", "raw-unicode-escape"})
"""Codecs that make strings of bytes, but are no encodings that a file of text may have."""


def encoding_of(asked: str | None, head: bytes, name: str) -> str:
    """Return the encoding of an input that begins with `head`.

    Raises:
        InputError: E0910, no text encoding is called so; E0902, it looks like UTF-16 and does not say so.
    """
    if asked is not None:
        return _known(asked)
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding
    wide = _wide(head)
    if wide is not None:
        message = f"{name} looks like UTF-16 without a byte-order mark, not like UTF-8"
        raise problem(ENCODING, message, f"name its encoding: --encoding {wide}")
    return UTF8


def _known(name: str) -> str:
    try:
        found = codecs.lookup(name)
        "\n".encode(name)  # refuses what turns bytes into bytes, or nothing into anything
    except (LookupError, ValueError):
        found = None
    if found is None or found.name in _NO_TEXTS:
        near = did_you_mean(name.lower(), _USUAL)
        way_out = (
            f"{near} others are latin-1, cp1252 and utf-16" if near else "such as utf-8, latin-1, cp1252 or utf-16"
        )
        raise problem(BAD_CHOICE, f"no text encoding is called '{name}'", way_out, exit_code=USAGE)
    return UTF8 if found.name == "utf-8" else name


def _wide(head: bytes) -> str | None:
    """Return the encoding of a text whose every second byte is NUL, as those of Latin letters are in UTF-16."""
    even, odd = head[0::2], head[1::2]
    for empty, full, name in ((odd, even, "utf-16-le"), (even, odd, "utf-16-be")):
        if len(empty) > 1 and empty.count(0) * 2 > len(empty) and 0 not in full[: len(empty)]:
            return name
    return None
