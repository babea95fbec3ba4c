"""Arguments of calls, read: keys, values as text that reads back, operations of a transaction."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Literal

import attrs

from rtfs_capability_kv.plugin import KvGrant
from rtfs_framework.api import (
    CapabilityError,
    CapabilityGrant,
    FailureKind,
    Keyword,
    LanguageError,
    Map,
    RtfsError,
    Value,
    not_granted,
    read_value,
    write,
)

MOST_KEY = 512
MOST_OPERATIONS = 1000
_ODD = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_LEVELS = 8
"""Of nesting that replies add to a value."""
_WORDS = ("put", "delete", "check", "get")
_FIELDS = frozenset({"op", "key", "value", "version"})


@attrs.frozen(slots=True)
class Operation:
    """One operation of a transaction."""

    word: Literal["put", "delete", "check", "get"]
    key: str
    text: str | None = None
    """The value that is put, as RTFS text."""
    version: int | None = None
    """Which the entry must have before; 0 for none. None: whatever it has."""


def failed(message: str, kind: str = "InvalidArgument") -> CapabilityError:
    """Return the error of a call that did nothing, and would do nothing again."""
    return CapabilityError(message, kind, failure=FailureKind.FINAL)


def key_of(value: Value) -> str:
    """Return the key that a text or a keyword names (`:cart/a` is "cart/a"); raises CapabilityError."""
    key = value.name if isinstance(value, Keyword) else value
    if not isinstance(key, str) or not 0 < len(key) <= MOST_KEY or _ODD.search(key):
        raise failed(f"a key must be a text of 1 to {MOST_KEY} characters without control characters, or a keyword")
    return key


def spread(args: tuple[Value, ...], *names: str) -> tuple[Value, ...]:
    """Return the arguments that one map names, as documents write them; none where the call has another shape."""
    given = args[0] if len(args) == 1 else None
    if not isinstance(given, Map):
        return ()
    found = {key.name if isinstance(key, Keyword) else key: value for key, value in given.items()}
    if found.keys() != set(names) or len(found) != len(given):
        raise failed(f"one map has {', '.join(f':{each}' for each in names)}, and nothing else")
    return tuple(found[name] for name in names)


def granted(grants: Iterable[CapabilityGrant], key: str, what: str = "the key") -> str:
    """Return a key that a grant allows; raises CapabilityError."""
    allowed: list[KvGrant] = [each.own for each in grants]
    if not any(key.startswith(prefix) for grant in allowed for prefix in grant.prefixes):
        raise not_granted(f"{what} {key!r}", "add how it begins to `prefixes` of the grant")
    return key


def text_of(value: Value, most: int) -> str:
    """Return a value as text that reads back as the same value; raises CapabilityError."""
    try:
        text = write(value, most)  # a small value may share its parts so often that its text has no end
    except RtfsError:
        raise _too_large(most) from None
    if len(text.encode("utf-8", "surrogatepass")) > most:
        raise _too_large(most)
    if not _reads_back(text):
        what = "functions, handles and half characters are no data, nor is what is nested some 190 levels deep"
        raise failed(f"the value holds what cannot be kept: {what}")
    return text


def _too_large(most: int) -> CapabilityError:
    return failed(f"the value takes more than {most:,} bytes; keep less, or raise `most_value`", "ResourceError")


def _reads_back(text: str) -> bool:
    """Tell whether a text is read as what it was written from, also within a reply."""
    text = f"{'[' * _LEVELS}{text}{']' * _LEVELS}"
    try:
        return write(read_value(text)) == text
    except LanguageError:
        return False


def operation_of(value: Value, most: int) -> Operation:
    """Return an operation, such as `{:op :put :key "a" :value 1 :version 3}`; raises CapabilityError."""
    found = _fields(value)
    word, version = found.get("op"), found.get("version")
    name: Any = word.name if isinstance(word, Keyword) else word
    if name not in _WORDS:
        raise failed(f"an operation needs an :op of {', '.join(f':{each}' for each in _WORDS)}")
    if version is not None and (isinstance(version, bool) or not isinstance(version, int) or version < 0):
        raise failed("a :version must be a whole number, 0 where nothing may be there")
    if ("value" in found) != (name == "put") or (version is None and name == "check"):
        raise failed("a :put needs a :value, a :check a :version; nothing else has a :value")
    text = text_of(found["value"], most) if name == "put" else None
    return Operation(name, key_of(found.get("key")), text, version)


def operations_of(value: Value, most: int) -> list[Operation]:
    """Return the operations of a transaction; raises CapabilityError."""
    return [operation_of(each, most) for each in few(value)]


def few(items: tuple[Value, ...]) -> tuple[Value, ...]:
    """Return the items of a call, of which one transaction takes so many at most; raises CapabilityError."""
    if len(items) > MOST_OPERATIONS:
        raise failed(f"one call takes {MOST_OPERATIONS:,} keys or operations at most; make several")
    return items


def _fields(value: Value) -> dict[str, Any]:
    found = {}
    for key, item in value.items() if isinstance(value, Map) else ():
        if not isinstance(key, Keyword) or key.name not in _FIELDS:
            raise failed("an operation has :op, :key, :value and :version, and nothing else")
        found[key.name] = item
    return found
