"""The host prelude (LANGUAGE.md 16.4): names that a host may add to a program's library; each asks for a capability."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rtfs_framework.kernel.outcome import CallKind
from rtfs_framework.kernel.state import request
from rtfs_framework.lang.errors import arity_error
from rtfs_framework.lang.maps import EMPTY_MAP
from rtfs_framework.stdlib.library import BUILTINS
from rtfs_framework.stdlib.table import BY_FUNCTION, Builtin

PRELUDE: dict[str, Builtin] = {}
"""Name to record, like the library's table."""

_SIMPLE: tuple[tuple[str, str, int, int | None], ...] = (
    ("tool/log", "ccos.io.log", 1, None),
    ("tool.log", "ccos.io.log", 1, None),
    ("log", "ccos.io.log", 0, None),
    ("println", "ccos.io.println", 0, None),
    ("tool/time-ms", "ccos.system.current-timestamp-ms", 0, 0),
    ("tool.time-ms", "ccos.system.current-timestamp-ms", 0, 0),
    ("current-time-millis", "ccos.system.current-timestamp-ms", 0, 0),
    ("get-env", "ccos.system.get-env", 1, 1),
    ("file-exists?", "ccos.io.file-exists", 1, 1),
    ("tool/open-file", "ccos.io.open-file", 1, 1),
    ("tool/http-fetch", "ccos.network.http-fetch", 1, 1),
    ("http-fetch", "ccos.network.http-fetch", 1, 1),
    ("thread/sleep", "ccos.system.sleep-ms", 1, 1),
    ("load-capability", "ccos.load-capability", 1, 1),
)


def _enter(name: str, function: Callable[..., Any], low: int, high: int | None, doc: str) -> None:
    record = Builtin(name, function, "prelude", low, high, "& args", doc, effect="host")
    PRELUDE[name] = BY_FUNCTION[function] = record


def _asking(capability: str) -> Callable[..., Any]:
    return lambda *args: request(CallKind.CAPABILITY, capability, args)


def _stored(key: Any, empty: Any, change: Callable[[Any], Any]) -> Any:
    """Read a key (nil counts as empty), change the value, write it back; the new value."""
    found = request(CallKind.CAPABILITY, "ccos.state.kv.get", (key,))
    made = change(empty if found is None else found)
    request(CallKind.CAPABILITY, "ccos.state.kv.put", (key, made))
    return made


def _kv_assoc(key: Any, *entries: Any) -> Any:
    if len(entries) % 2:
        raise arity_error("kv/assoc!", "a key and pairs", len(entries) + 1)
    return _stored(key, EMPTY_MAP, lambda found: BUILTINS["assoc"].function(found, *entries))


def _kv_dissoc(key: Any, *keys: Any) -> Any:
    return _stored(key, EMPTY_MAP, lambda found: BUILTINS["dissoc"].function(found, *keys))


def _kv_conj(key: Any, item: Any) -> Any:
    return _stored(key, (), lambda found: BUILTINS["conj"].function(found, item))


for _name, _capability, _low, _high in _SIMPLE:
    _enter(_name, _asking(_capability), _low, _high, f"Ask the host for {_capability}.")
_enter("kv/assoc!", _kv_assoc, 3, None, "Set entries of a map that the host keeps under a key.")
_enter("kv/dissoc!", _kv_dissoc, 2, None, "Remove entries of a map that the host keeps under a key.")
_enter("kv/conj!", _kv_conj, 2, 2, "Append to a vector that the host keeps under a key.")
