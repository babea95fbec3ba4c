"""The host prelude (LANGUAGE.md 16.4): names that a host may add to a program's library; each asks for a capability.

The values of the examples are those of a host that answers nil.
"""

from __future__ import annotations

from rtfs_framework.kernel.call_kind import CallKind
from rtfs_framework.kernel.state import request
from rtfs_framework.lang.annotations import Any, Callable
from rtfs_framework.lang.errors import ProgramError, arity_error
from rtfs_framework.lang.maps import EMPTY_MAP
from rtfs_framework.stdlib.table import BUILTINS, Builtin

PRELUDE: dict[str, Builtin] = {}
"""Name to record, like the library's table."""

_ASKING: tuple[tuple[str, str, str, str], ...] = (
    ("tool/log", "ccos.io.log", "value & more", '"started" 3'),
    ("tool.log", "ccos.io.log", "value & more", '"started" 3'),
    ("log", "ccos.io.log", "& values", '"started" 3'),
    ("println", "ccos.io.println", "& values", '"hello" 5'),
    ("tool/time-ms", "ccos.system.current-timestamp-ms", "", ""),
    ("tool.time-ms", "ccos.system.current-timestamp-ms", "", ""),
    ("current-timestamp", "ccos.system.current-timestamp", "", ""),
    ("generate-uuid", "ccos.system.generate-uuid", "", ""),
    ("current-time-millis", "ccos.system.current-timestamp-ms", "", ""),
    ("get-env", "ccos.system.get-env", "name", '"HOME"'),
    ("file-exists?", "ccos.io.file-exists", "path", '"notes.txt"'),
    ("tool/open-file", "ccos.io.open-file", "path", '"notes.txt"'),
    ("tool/http-fetch", "ccos.network.http-fetch", "request", '"https://example.org"'),
    ("http-fetch", "ccos.network.http-fetch", "request", '{:url "https://example.org" :method "GET"}'),
    ("thread/sleep", "ccos.system.sleep-ms", "milliseconds", "250"),
    ("load-capability", "ccos.load-capability", "source", '"(capability ...)"'),
)
"""Name, what is asked for, parameters, arguments of an example."""

NEEDED: dict[str, str] = {name: capability for name, capability, *_ in _ASKING}
"""Name to the capability that it asks for."""

_KEPT: tuple[tuple[str, str, str, str, str], ...] = (
    ("kv/assoc!", "key name value & more", "Set entries of a map", '"cart" :apples 2', "{:apples 2}"),
    ("kv/dissoc!", "key name & names", "Remove entries of a map", '"cart" :apples', "{}"),
    ("kv/conj!", "key item & items", "Append to a vector", '"log" :started', "[:started]"),
)
"""Name, parameters, what is done, arguments and value of an example."""

NEEDED |= {name: "ccos.state.kv.put" for name, *_ in _KEPT}


def _enter(
    name: str, function: Callable[..., Any], parameters: str, doc: str, example: tuple[str, str], *asks: str
) -> None:
    """Enter a function; every argument and its value may be anything, which is the host's to say."""
    words = parameters.split()
    low, high = (words.index("&"), None) if "&" in words else (len(words), len(words))
    type_ = f"[:fn [{' '.join([':any'] * low + ['& :any'] * (high is None))}] :any]"
    PRELUDE[name] = function.rtfs_builtin = Builtin(  # type: ignore[attr-defined]
        name=name,
        function=function,
        family="host prelude",
        low=low,
        high=high,
        signature=parameters,
        doc=doc,
        examples=(example,),
        effect="host",
        asks=asks,
        types=type_,
        ways=(type_,),
    )


def _asking(capability: str, parameters: str) -> Callable[..., Any]:
    """Return what asks for a capability, and takes as many arguments as its parameters say."""
    if parameters.startswith("&"):
        return lambda *args: request(CallKind.CAPABILITY, capability, args)
    if "&" in parameters:
        return lambda first, *more: request(CallKind.CAPABILITY, capability, (first, *more))
    if parameters:
        return lambda argument: request(CallKind.CAPABILITY, capability, (argument,))
    return lambda: request(CallKind.CAPABILITY, capability, ())


def _stored(key: Any, empty: Any, change: Callable[[Any], Any]) -> Any:
    """Read a key (nil and a failure, but no denial, count as empty), change the value, write it back; the new value."""
    try:
        found = request(CallKind.CAPABILITY, "ccos.state.kv.get", (key,))
    except ProgramError as error:
        if error.kind == "SecurityViolation":
            raise
        found = None
    made = change(empty if found is None else found)
    request(CallKind.CAPABILITY, "ccos.state.kv.put", (key, made))
    return made


def _kv_assoc(key: Any, name: Any, value: Any, *more: Any) -> Any:
    if len(more) % 2:
        raise arity_error("kv/assoc!", "a key and pairs", len(more) + 3)
    return _stored(key, EMPTY_MAP, lambda found: BUILTINS["assoc"].function(found, name, value, *more))


def _kv_dissoc(key: Any, name: Any, *names: Any) -> Any:
    return _stored(key, EMPTY_MAP, lambda found: BUILTINS["dissoc"].function(found, name, *names))


def _kv_conj(key: Any, item: Any, *items: Any) -> Any:
    return _stored(key, (), lambda found: BUILTINS["conj"].function(found, item, *items))


for _name, _capability, _parameters, _given in _ASKING:
    _program = f"({_name} {_given})" if _given else f"({_name})"
    _doc = f"Ask the host for {_capability}."
    _enter(_name, _asking(_capability, _parameters), _parameters, _doc, (_program, "nil"), _capability)
_CHANGES: tuple[Callable[..., Any], ...] = (_kv_assoc, _kv_dissoc, _kv_conj)
for _function, (_name, _parameters, _done, _given, _value) in zip(_CHANGES, _KEPT, strict=True):
    _doc, _example = f"{_done} that the host keeps under a key.", (f"({_name} {_given})", _value)
    _enter(_name, _function, _parameters, _doc, _example, "ccos.state.kv.get", "ccos.state.kv.put")
