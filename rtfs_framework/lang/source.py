"""Source texts and spans: where a piece of program stands. Offsets count characters, lines and columns start at 1."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate

from rtfs_framework.lang import records
from rtfs_framework.lang.frozen import maker


@records.frozen(weakref_slot=False)
class Span:
    """A half-open range of characters `[start, end)` in one source text.

    `source` says which: 0 is the program itself, higher numbers are the modules it imports.
    """

    start: int
    end: int
    source: int = 0

    def cover(self, other: Span) -> Span:
        """Return the smallest span that holds both."""
        return Span(min(self.start, other.start), max(self.end, other.end), self.source)


make_span = maker(Span)
"""What `Span` does, quicker: a text has hundreds of thousands."""


@records.frozen(eq=False)
class Source:
    """A named program text with its line starts."""

    name: str
    text: str
    _starts: tuple[int, ...] = records.field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        *lines, _ = self.text.split("\n")
        object.__setattr__(self, "_starts", (0, *accumulate(len(line) + 1 for line in lines)))

    def place(self, offset: int) -> tuple[int, int]:
        """Return the line and column, both from 1, of a character offset."""
        line = bisect_right(self._starts, offset) - 1
        return line + 1, offset - self._starts[line] + 1

    def line(self, number: int) -> str:
        """Return the text of a line (from 1) without its line end."""
        start = self._starts[number - 1]
        end = self._starts[number] if number < len(self._starts) else len(self.text)
        return self.text[start:end].rstrip("\r\n")


def source_of(given: Source | str) -> Source:
    """Return a program's text; one that has no name is called `<string>`.

    Raises:
        TypeError: It is neither.
    """
    if isinstance(given, str):
        return Source("<string>", given)
    if not isinstance(given, Source):
        raise TypeError(f"a program is a text or a Source(name, text), not a {type(given).__name__}")
    return given


@records.frozen()
class Place:
    """A span made readable: what a report, a journal entry or a stack frame shows."""

    source: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.source}:{self.line}:{self.column}"
