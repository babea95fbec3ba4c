r"""Text of others, made fit to be seen: what would steer a terminal or reorder a line is shown as its escape.

Escaped are the control characters C0, DEL and C1 (so ESC, CSI and OSC), U+2028 and U+2029, the bidirectional marks,
overrides and isolates (U+061C, U+200E-F, U+202A-E, U+2066-9), what takes no room and joins nothing (U+200B, U+2060,
U+FEFF: two names may look alike), and lone surrogates, all as RTFS strings and JSON write them: `\\u001b`. Joiners
stay, for scripts and emoji need them. What was escaped once is plain text, so escaping again changes nothing.
"""

from __future__ import annotations

_MARKS = (0x061C, 0x200B, 0x200E, 0x200F, 0x2060, 0xFEFF)
_UNSEEN = (*range(32), *range(0x7F, 0xA0), *range(0x2028, 0x202F), *range(0x2066, 0x206A), *_MARKS)
ESCAPES = {code: f"\\u{code:04x}" for code in _UNSEEN} | {10: "\\n", 9: "\\t", 13: "\\r"}
"""For `str.translate`; lone surrogates are left to `escaped`."""
_LAYOUT = {code: text for code, text in ESCAPES.items() if code not in {9, 10}}
_CELL_LESS = frozenset({"Mn", "Me", "Cf"})
"""Categories of characters that take no cell of a terminal."""


def escaped(text: str, table: dict[int, str] = ESCAPES) -> str:
    """Return a text with the characters of a table, and lone surrogates, as escapes."""
    made = text.translate(table)
    try:
        made.encode()
    except UnicodeEncodeError:
        return made.encode("utf-8", "backslashreplace").decode()
    return made


def visible(text: str) -> str:
    """Return a text of several lines fit to be seen; line ends and tabs stay."""
    return text if text.isprintable() else escaped(text.replace("\r\n", "\n"), _LAYOUT)


def visible_line(text: str) -> str:
    """Return a text fit to be seen as part of one line: line ends are escapes too."""
    return text if text.isprintable() else escaped(text)


def visible_message(text: str) -> str:
    """Return a message fit to be seen; its further lines are indented, so that none passes for a report."""
    return visible(text).replace("\n", "\n    ")


def cells(text: str) -> int:
    """Return how many cells of a terminal a visible text takes; Chinese characters take two, accents none."""
    if text.isascii():
        return len(text)
    from unicodedata import category, east_asian_width

    return sum(2 if east_asian_width(each) in "WF" else category(each) not in _CELL_LESS for each in text)
