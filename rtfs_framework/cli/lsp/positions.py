"""Positions as editors count them: lines end at LF, CR LF or CR, characters are units of the negotiated encoding."""

from __future__ import annotations

import re
from bisect import bisect_right

import attrs

UTF8, UTF16, UTF32 = "utf-8", "utf-16", "utf-32"
_LINE_END = re.compile(r"\r\n|\n|\r")


def units(text: str, encoding: str) -> int:
    """Return the length of a text in units of an encoding."""
    if encoding == UTF32:
        return len(text)
    if encoding == UTF8:
        return len(text.encode("utf-8", "surrogatepass"))
    return len(text) + sum(ord(char) > 0xFFFF for char in text)


@attrs.frozen(slots=True, eq=False)
class Positions:
    """The lines of one text."""

    text: str
    encoding: str = UTF16
    _starts: tuple[int, ...] = attrs.field(init=False, repr=False)

    @_starts.default
    def _find_starts(self) -> tuple[int, ...]:
        return (0, *(match.end() for match in _LINE_END.finditer(self.text)))

    def at(self, offset: int) -> tuple[int, int]:
        """Return the line and character, both from 0, of an offset."""
        line = bisect_right(self._starts, offset) - 1
        return line, units(self.text[self._starts[line] : offset], self.encoding)

    def offset(self, line: int, character: int) -> int:
        """Return the offset of a position; one beyond the end of its line or of the text means that end."""
        if line >= len(self._starts):
            return len(self.text)
        start = self._starts[line]
        end = self._starts[line + 1] if line + 1 < len(self._starts) else len(self.text)
        content = self.text[start:end].rstrip("\r\n")
        left = character
        for place, char in enumerate(content):
            if left <= 0:
                return start + place
            left -= units(char, self.encoding)
        return start + len(content)
