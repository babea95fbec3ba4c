"""What is wrong with a plugin's record although it is of the right class: fields that no host could use.

Found when the plugin is loaded, where the plugin is known, and not when a program first needs the field.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from typing import Any, get_args

import attrs

from rtfs_framework.registry.kinds import Kind

PLAIN = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
"""Names of what has a folder of its own, which a child process may write to: none leads out of the folder above."""

Flaw = Callable[[Any], "str | None"]


def flaw_of(kind: Kind, record: Any) -> str | None:
    """Return what is wrong with a record's fields, None when nothing is."""
    missing = next((field.name for field in attrs.fields(type(record)) if not hasattr(record, field.name)), None)
    if missing is not None:  # its class has an `__init__` of its own
        return f"which has no `{missing.lstrip('_')}`"
    for name, check in {**_COMMON, **_CHECKS[kind.word]}.items():
        if hasattr(record, name):
            wrong = check(getattr(record, name))
            if wrong is not None:
                return f"whose `{name.lstrip('_')}` {wrong}"
    return _unisolable(record) if kind.word == "capability" else None


def _unisolable(record: Any) -> str | None:
    """Return why a capability cannot run in a process of its own although it says so."""
    both = next((name for name in ("speaks", "ahead") if record.isolable and getattr(record, name)), None)
    return both and f"which says `isolable` and has `{both}`: that is of the host's own process alone"


def _function(value: Any) -> str | None:
    return None if callable(value) else f"is {_a(value)} and cannot be called"


def _text(value: Any) -> str | None:
    return None if isinstance(value, str) else f"is {_a(value)} and no text"


def _plain(value: Any) -> str | None:
    fine = isinstance(value, str) and PLAIN.fullmatch(value) is not None
    return None if fine else f"is {value!r:.60}, and names a folder: it has to match {PLAIN.pattern}"


def _texts(value: Any) -> str | None:
    fine = isinstance(value, tuple | list) and all(isinstance(each, str) for each in value)
    return None if fine else f"is {value!r:.60} and no tuple of texts"


def _settings(value: Any) -> str | None:
    if value is None or (isinstance(value, type) and attrs.has(value)):
        return None
    return f"is {getattr(value, '__name__', value)!r:.60} and no attrs class (decorate it with `@attrs.frozen`)"


def _member(enum: str) -> Flaw:
    def check(value: Any) -> str | None:
        if isinstance(value, Enum) and type(value).__name__ == enum:
            return None
        return f"is {value!r:.60} and no member of {enum}"

    return check


def _number(value: Any) -> str | None:
    fine = value is None or (isinstance(value, int) and not isinstance(value, bool) and value > 0)
    return None if fine else f"is {value!r:.60} and no number of requests"


def _truth(value: Any) -> str | None:
    return None if isinstance(value, bool) else f"is {value!r:.60} and neither True nor False"


def _tables(value: Any) -> str | None:
    fine = isinstance(value, Mapping) and all(
        isinstance(name, str) and isinstance(table, Mapping) for name, table in value.items()
    )
    return None if fine else f"is {value!r:.60} and no mapping of instance ids to tables"


def _type(value: Any) -> str | None:
    if isinstance(value, str):  # what is read when somebody wants to know
        return None
    from rtfs_framework.lang.types.model import Type

    if value is None or isinstance(value, get_args(Type)):
        return None
    return f"is {value!r:.60} and no Type (`parse_type` of rtfs_framework.api makes one of a text)"


def _types(value: Any) -> str | None:
    if value is None:
        return None
    if not isinstance(value, Iterable) or isinstance(value, str):
        return f"is {value!r:.60} and no tuple of types"
    return next(filter(None, map(_type, value)), None)


def _children(value: Any) -> str | None:
    from rtfs_framework.api.engine import Children

    for each in value if isinstance(value, tuple) else (value,):
        if not isinstance(each, Children) or each.key in {"", "plugin"}:
            return f"is {value!r:.60} and no tuple of Children"
    return None


def _a(value: Any) -> str:
    return "None" if value is None else f"a {type(value).__name__}"


_COMMON: Mapping[str, Flaw] = {"summary": _text, "settings": _settings}
_CHECKS: Mapping[str, Mapping[str, Flaw]] = {
    "engine": {"factory": _function, "children": _children},
    "provider": {
        "factory": _function,
        "locality": _member("Locality"),
        "parallel": _number,
        "defaults": _tables,
    },
    "cache": {"factory": _function, "level": _member("CacheLevel")},
    "capability": {
        "handler": _function,
        "_parameters": _types,
        "_returns": _type,
        "effects": _texts,
        "names": _texts,
        "aliases": _texts,
        "grant": _settings,
        "version": _text,
    },
    "capability set": {"name": _plain, "factory": _function, "ids": _texts, "grant": _settings},
    "guard": {"factory": _function},
    "embedder": {"factory": _function, "locality": _member("Locality")},
    "store": {"factory": _function, "remote": _truth},
    "ledger": {"factory": _function},
    "queue": {"factory": _function, "remote": _truth},
    "executor": {"factory": _function},
    "command": {"load": _function, "example": _text},
    "observer": {"name": _plain, "factory": _function, "events": _texts},
}
