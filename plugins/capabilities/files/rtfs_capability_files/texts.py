"""What calls say of a file, and its text. Errors are `CapabilityError` of the kind InvalidArgument, with a way out."""

from __future__ import annotations

import codecs
import re
from typing import Any

from rtfs_capability_files.grants import shown
from rtfs_framework.api import CapabilityError, FailureKind, Map, Value

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,39}")
_NO_TEXTS = frozenset({"idna", "punycode", "undefined", "unicode-escape", "raw-unicode-escape"})
"""Codecs that make strings of bytes, but are no encodings that a file of text may have."""


def argument(value: Value) -> dict[str, Any]:
    """Return a call's argument, a path or a map with one, as options by name."""
    if isinstance(value, Map):
        return {key.name: item for key, item in value.items()}
    return {"path": value}


def refused(path: str, words: str, kind: str = "InvalidArgument") -> CapabilityError:
    """Return the error of a file that holds something else, or of a call that asks for what cannot be."""
    return CapabilityError(f'"{shown(path)}": {words}', kind, failure=FailureKind.FINAL)


def encoding_of(asked: str | None, path: str) -> str:
    """Return a text encoding's own name, however it was written; UTF-8, with or without a mark, if none is asked for.

    Raises:
        CapabilityError: No text encoding is called so.
    """
    if asked is None:
        return "utf-8-sig"
    name, known = "", False
    try:
        if _NAME.fullmatch(asked):
            name = codecs.lookup(asked).name
        known = "\n".encode(name) != b""
    except (LookupError, ValueError):
        known = False
    if not known or name.lower().replace("_", "-") in _NO_TEXTS:
        raise refused(path, f"no text encoding is called '{shown(asked)}'; such as utf-8, latin-1 or utf-16")
    return "utf-8-sig" if name == "utf-8" else name


def decoded(data: bytes, asked: str | None, path: str) -> str:
    """Return the text of a file.

    Raises:
        CapabilityError: It is none in this encoding.
    """
    encoding = encoding_of(asked, path)
    try:
        text = data.decode(encoding)
        text.encode()  # utf-7 and its kin make halves of characters, which no program may have
    except UnicodeError as error:
        at = f" at byte {error.start:,}" if isinstance(error, UnicodeDecodeError) else ""
        label = encoding.removesuffix("-sig")
        raise refused(path, f"it is not {label}{at}; name its encoding: {{:path ... :encoding ...}}") from None
    return text
