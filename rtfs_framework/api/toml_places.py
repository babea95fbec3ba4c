"""TOML files that people write, with places: data for the program, and for every mistake its line and column.

In: the text of a file. Out: its data as tomllib reads it, and a `Places` that finds the span of any key or value. The
data never depends on the places: tree-sitter parses the text a second time, and only when a mistake is to be shown.
`structure` (rtfs_framework.api.toml_structure) makes an attrs instance of the data, or diagnostics of its mistakes.

Codes: E0700 a file that cannot be read; E0701 text that is no TOML; the others are of toml_structure.
"""

from __future__ import annotations

import re
import sys
from itertools import accumulate
from pathlib import Path
from typing import Any

import attrs

from rtfs_framework.api.errors import ConfigError, config_error
from rtfs_framework.api.regular_file import read_regular
from rtfs_framework.api.toml_structure import structure
from rtfs_framework.lang.source import Source, Span

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # type: ignore[import-not-found, unused-ignore]

__all__ = ["KeyPath", "Places", "load_toml", "read_toml", "structure"]

KeyPath = tuple[str | int, ...]
"""Where something stands in the data: keys of tables and, in arrays, indices from 0."""

MOST_DEEP = 64
"""Levels of tables and arrays. Nothing that people write is so deep, and nobody who walks the data need think of it."""
_MOST_BYTES = 16 * 1024 * 1024
_PIECE = 1024
_GO_ON = bytes(range(0x80, 0xC0))
"""The bytes of UTF-8 that begin no character."""
_MOST_DOTS = 1_000
_QUOTED = re.compile(r'"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'')
_WHERE = re.compile(r" \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)$")
_START = Span(0, 0)


def read_toml(path: Path) -> tuple[dict[str, Any], Places]:
    """Return the data of a file and its places.

    Raises:
        ConfigError: The file is missing or unreadable, no ordinary file or huge, is no UTF-8, or is no TOML.
    """
    try:
        raw, _ = read_regular(path, _MOST_BYTES)
    except OSError as error:
        reason = error.strerror or str(error)
        raise config_error(
            "E0700", f"{path}: cannot be read: {reason}", help="check the path and its rights"
        ) from error
    return parse_toml(raw, str(path))


def parse_toml(raw: bytes, name: str) -> tuple[dict[str, Any], Places]:
    """Return the data of a file's bytes and its places.

    Raises:
        ConfigError: They are no UTF-8, or no TOML.
    """
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode("utf-8", "replace")
        source = Source(name, raw.decode("utf-8", "replace"))
        raise config_error(
            "E0701",
            f"byte 0x{raw[error.start]:02x} is not UTF-8",
            source=source,
            span=Span(len(before), len(before) + 1),
            help="save the file as UTF-8",
        ) from error
    return load_toml(text, name)


def load_toml(text: str, name: str) -> tuple[dict[str, Any], Places]:
    """Return the data of a TOML text and its places; `name` is what reports call the file.

    Raises:
        ConfigError: The text is no TOML.
    """
    source = Source(name, text)
    _refuse_dots(source)
    try:
        data = tomllib.loads(text)
    except RecursionError as error:
        raise _too_deep(source, _START) from error
    except ValueError as error:
        raise _syntax_error(source, error) from error
    places = Places(source)
    deep = _deepest(data)
    if len(deep) > MOST_DEEP:
        raise _too_deep(source, places.key(deep[:1]))
    return data, places


def _refuse_dots(source: Source) -> None:
    """Refuse a key of thousands of parts before tomllib looks at it, to which its length is dear."""
    start = 0
    for line in source.text.split("\n"):
        if line.count(".") > _MOST_DOTS and _QUOTED.sub("", line).count(".") > _MOST_DOTS:
            raise _too_deep(source, Span(start, start + 1))
        start += len(line) + 1


def _too_deep(source: Source, span: Span) -> ConfigError:
    message = f"nested too deeply: tables and lists have at most {MOST_DEEP} levels"
    return config_error("E0701", message, source=source, span=span, help="is a dot or bracket there by mistake?")


def _deepest(data: Any) -> KeyPath:
    """Return the path of something that is too deep, or (): walked without recursion."""
    left: list[tuple[KeyPath, Any]] = [((), data)]
    while left:
        path, value = left.pop()
        if len(path) > MOST_DEEP:
            return path
        members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        left.extend(((*path, key), member) for key, member in members if isinstance(member, (dict, list)))
    return ()


def _syntax_error(source: Source, error: ValueError) -> ConfigError:
    """Return tomllib's complaint with its place, which it only tells in words."""
    found = _WHERE.search(str(error))
    message = str(error)[: found.start()] if found else str(error)
    span = Span(len(source.text), len(source.text)) if found else _START
    if found and found["line"]:
        start = _offset(source.text, int(found["line"]), int(found["column"]))
        span = Span(start, start + 1)
    return config_error(
        "E0701",
        f"no valid TOML: {message[:1].lower()}{message[1:]}",
        source=source,
        span=span,
        help='a line is [table], key = value, or # comment; texts stand in "quotes"',
    )


def _offset(text: str, line: int, column: int) -> int:
    start = 0
    for _ in range(line - 1):
        start = text.find("\n", start) + 1
    return start + column - 1


@attrs.define(slots=True, eq=False)
class Places:
    """Where the keys and values of one TOML text stand. What is not in the text has the place of what encloses it."""

    source: Source
    _keys: dict[KeyPath, Span] | None = attrs.field(default=None, init=False)
    _values: dict[KeyPath, Span] = attrs.field(factory=dict, init=False)

    def of(self, path: KeyPath) -> Span:
        """Return the span of the value at a path; of a table, the span of its header."""
        self._locate()
        while path and path not in self._values:
            path = path[:-1]
        return self._values.get(path, _START)

    def key(self, path: KeyPath) -> Span:
        """Return the span of the key at a path; of an array's member, which has none, its value's."""
        keys = self._locate()
        return keys.get(path) or self.of(path)

    def at(self, path: KeyPath, *, key: bool = False) -> tuple[Source, Span]:
        """Return the text and the span of a value, or of its key."""
        return self.source, self.key(path) if key else self.of(path)

    def error(self, code: str, message: str, path: KeyPath, way_out: str | None = None) -> ConfigError:
        """Return the error of a mistake that only the file's reader can see, at the value of a path."""
        return config_error(code, message, source=self.source, span=self.of(path), help=way_out)

    def _locate(self) -> dict[KeyPath, Span]:
        if self._keys is None:
            finder = _Finder(self.source.text)
            self._keys, self._values = finder.keys, finder.values
        return self._keys


class _Finder:
    """Walks the syntax tree of one text once and notes every span."""

    def __init__(self, text: str) -> None:
        import tree_sitter
        import tree_sitter_toml

        self.raw = text.encode("utf-8", "replace")
        self.keys: dict[KeyPath, Span] = {}
        self.values: dict[KeyPath, Span] = {}
        self._counts: dict[KeyPath, int] = {}
        sizes = (len(self.raw[at : at + _PIECE].translate(None, _GO_ON)) for at in range(0, len(self.raw), _PIECE))
        self._before = [0, *accumulate(sizes)]
        parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_toml.language()))
        for node in parser.parse(self.raw).root_node.named_children:
            if node.type == "pair":
                self._pair(node, ())
            elif node.type in {"table", "table_array_element"}:
                self._table(node)

    def _span(self, node: Any) -> Span:
        return Span(self._characters(node.start_byte), self._characters(node.end_byte))

    def _characters(self, offset: int) -> int:
        """Return how many characters the first bytes are: every byte but those that go on with a character."""
        piece, rest = divmod(offset, _PIECE)
        start = piece * _PIECE
        return self._before[piece] + len(self.raw[start : start + rest].translate(None, _GO_ON))

    def _table(self, node: Any) -> None:
        header, *members = node.named_children
        path: KeyPath = ()
        for key in _segments(header):
            path = self._named(path, key)
            count = self._counts.get(path)
            if count is not None and key.end_byte != header.end_byte:
                path = (*path, count - 1)
        if node.type == "table_array_element":
            count = self._counts.get(path, 0)
            self._counts[path] = count + 1
            path = (*path, count)
        self.values[path] = self._span(header)
        for member in members:
            if member.type == "pair":
                self._pair(member, path)

    def _pair(self, node: Any, path: KeyPath) -> None:
        key, value = (child for child in node.named_children if child.type != "comment")
        for segment in _segments(key):
            path = self._named(path, segment)
        self._value(value, path)

    def _named(self, path: KeyPath, segment: Any) -> KeyPath:
        """Return the path with one key more, its span noted."""
        path = (*path, _key_text(segment))
        span = self._span(segment)
        self.keys.setdefault(path, span)
        self.values.setdefault(path, span)
        return path

    def _value(self, node: Any, path: KeyPath) -> None:
        self.values[path] = self._span(node)
        children = [child for child in node.named_children if child.type != "comment"]
        if node.type == "array":
            for index, child in enumerate(children):
                self._value(child, (*path, index))
        elif node.type == "inline_table":
            for child in children:
                self._pair(child, path)


def _segments(node: Any) -> list[Any]:
    """Return the key nodes of a key, which may be dotted; no more of them than data may be deep."""
    found: list[Any] = []
    left = [node]
    while left:
        node = left.pop()
        if node.type == "dotted_key":
            left.extend(node.named_children)
        else:
            found.append(node)
    found.reverse()
    return found[:MOST_DEEP]


def _key_text(node: Any) -> str:
    text: str = node.text.decode("utf-8", "replace")
    if node.type == "quoted_key":
        return str(tomllib.loads(f"key = {text}")["key"])
    return text
