"""How literals are spelled: what the reader, the printer, the library and JSON coercion agree on.

In: texts. Out: whether they are the name of a keyword or symbol, a timestamp, a UUID or a resource handle. What passes
here is read back from its print as the same value; what does not is refused where it is made, and where a host made it
nevertheless it is printed as `#<keyword: "two words">`, which nothing reads.
"""

from __future__ import annotations

import re

END = r" \t\r\n,()\[\]{}\";"
"""Characters that end a word, as part of a character class."""
STOP = rf"{END}:`~^"
_REST = r"[A-Za-z0-9_$+\-*/=<>!?%.@|]*#?"
_PATH = rf"(?::[^{STOP}/]+/[A-Za-z0-9_$+\-*/=<>!?%.@]+)?"
TIMESTAMP = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:[._][0-9]+)?Z"
UUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
RESOURCE = rf"resource://[^{END}]+"
WORDS = {"nil": None, "true": True, "false": False}
"""Words that look like names and are values."""

KEYWORD = rf"[A-Za-z_$+\-*/=<>!?%.]{_REST}{_PATH}"
"""Names of keywords, as a regular expression: of the JSON Schemas that models see, too."""
SYMBOL = (
    rf"(?!(?:[+\-][0-9]|(?:nil|true|false|{UUID})$))"
    rf"(?:(?:\.[A-Za-z_]|[A-Za-z_$+\-*/=<>!?%]){_REST}{_PATH}|&|λ|%&)"
)
"""Names of symbols: what is read as a number, as a value or as a UUID is none."""

_keyword = re.compile(KEYWORD).fullmatch
_symbol = re.compile(SYMBOL.replace("$)", r"\Z)")).fullmatch  # Python's `$` lets a line end follow
_made_name = re.compile(rf"##?[a-z][^{STOP}'@#]*|[^{STOP}'@#]+#[^{STOP}'@#]+").fullmatch
"""Names that macros and `gensym` make: the reader refuses them as they are."""
_timestamp = re.compile(TIMESTAMP).fullmatch
_uuid = re.compile(UUID).fullmatch
_resource = re.compile(RESOURCE).fullmatch


def names_keyword(name: str) -> bool:
    """Tell whether a text, with a colon before it, is read as the keyword of that name."""
    return _keyword(name) is not None


def names_symbol(name: str) -> bool:
    """Tell whether a text is read as the symbol of that name."""
    return _symbol(name) is not None


def prints_symbol(name: str) -> bool:
    """Tell whether the symbol of that name is printed as its name: it is read, or was made by a macro or `gensym`."""
    return names_symbol(name) or (_made_name(name) is not None and name.isprintable())


def is_timestamp(text: str) -> bool:
    """Tell whether a text is a timestamp such as 2025-03-04T05:06:07Z. Its numbers are not range-checked."""
    return _timestamp(text) is not None


def is_uuid(text: str) -> bool:
    """Tell whether a text is a UUID: 8-4-4-4-12 hexadecimal digits of either case."""
    return _uuid(text) is not None


def is_resource(text: str) -> bool:
    """Tell whether a text is a resource handle such as resource://bucket/item.txt."""
    return _resource(text) is not None
