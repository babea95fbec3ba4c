"""Chunks and their expectations, read from files and written back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import attrs

_EXPECTED = re.compile(r";\s*(?P<word>=>|error|raises|yields)\s+(?P<text>.*?)\s*$")
_STARTS = re.compile(r"(?=;\s*(?:=>|error|raises|yields)\s)")
_SEPARATOR = "---"


@attrs.frozen
class Expectation:
    """One comment: the line in the chunk (from 1), its word and what follows."""

    line: int
    word: str
    text: str


@attrs.frozen
class Chunk:
    """One program of a file."""

    path: Path
    first: int
    """The file's line before the chunk's first one."""
    text: str

    @property
    def name(self) -> str:
        return f"{self.path.stem}:{self.first + 1}"

    @property
    def expectations(self) -> list[Expectation]:
        found = []
        for number, line in enumerate(self.text.split("\n"), 1):
            found += [Expectation(number, m["word"], m["text"]) for m in map(_EXPECTED.match, _remarks(line)) if m]
        return found


def _comment(line: str) -> int:
    """Return where a line's comment starts: at the first semicolon outside a string."""
    inside = escaped = False
    for place, char in enumerate(line):
        if char == ";" and not inside:
            return place
        if char == '"' and not escaped:
            inside = not inside
        escaped = char == "\\" and not escaped
    return len(line)


def _remarks(line: str) -> list[str]:
    """Return the parts of a line's comment: several expectations may share a line."""
    return _STARTS.split(line[_comment(line) :])


def read(path: Path) -> Iterator[Chunk]:
    """Yield the chunks of a file."""
    lines = path.read_text(encoding="utf-8").split("\n")
    start = 0
    for number, line in enumerate([*lines, _SEPARATOR]):
        if line.strip() == _SEPARATOR:
            text = "\n".join(lines[start:number])
            if text.strip():
                yield Chunk(path, start, text)
            start = number + 1


def without(line: str) -> str:
    """Return a line without its expectations."""
    kept = [part for part in _remarks(line) if not _EXPECTED.match(part)]
    return (line[: _comment(line)] + "".join(kept)).rstrip()


def blessed(chunk: Chunk, happened: list[Expectation]) -> str:
    """Return a chunk's text with expectations that say what happened."""
    lines = [without(line) for line in chunk.text.split("\n")]
    for event in happened:
        at = event.line - 1
        gap = (
            "" if not lines[at] else " " if _comment(lines[at]) < len(lines[at]) else " " * max(2, 40 - len(lines[at]))
        )
        lines[at] = f"{lines[at]}{gap}; {event.word} {event.text}"
    return "\n".join(lines)
