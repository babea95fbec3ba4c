"""Keys as they may be sent. In: a variable's value. Out: the key without white space around it, or what is wrong."""

from __future__ import annotations


def bare(value: str | None) -> str | None:
    """Return a key without the white space around it (one read from a file may end in CR); None when it is empty."""
    return (value or "").strip() or None


def unsendable(key: str) -> str | None:
    """Return why a key cannot stand in a header, None when it can. The key is no part of the answer."""
    if not key.isascii():
        return "holds a character that is not ASCII"
    if not key.isprintable():
        return "holds a control character"
    return None
