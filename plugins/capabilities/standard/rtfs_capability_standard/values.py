"""What needs nothing but its arguments: `ccos.echo`, `ccos.math.*`, JSON, `ccos.concurrent/parallel`."""

from __future__ import annotations

from typing import Any

from rtfs_capability_standard.arguments import counted, named, wrong
from rtfs_framework.api import CapabilityRequest, Keyword, Map, Value, library

_MATH = {"add": "+", "subtract": "-", "multiply": "*", "divide": "/", "modulo": "mod", "remainder": "rem",
         "abs": "abs", "sqrt": "sqrt", "min": "min", "max": "max"}  # fmt: skip
_TAKES = {"abs": (1, 1), "sqrt": (1, 1), "modulo": (2, 2), "remainder": (2, 2)}
"""How many numbers; none that may make a value much larger than its arguments, for no run's limits hold here."""


def echo(request: CapabilityRequest) -> Value:
    """Return what was said: the `:message` of a map that has one, else the argument."""
    (said,) = counted(request, 1, 1, '(call :ccos.echo "text")')
    message = named(said, "message")
    return said if message is None else message


def calculate(request: CapabilityRequest) -> Value:
    """Return what the function of RTFS's library gives: of numbers, of `{:a 1 :b 2}`, or of `{:args [1 2 3]}`.

    Raises:
        ProgramError: As of that function, such as `DivisionByZero`, or there are too few numbers.
    """
    operation = request.id.rpartition(".")[2]
    least, most = _TAKES.get(operation, (2, None))
    usage = f"(call :{request.id} {'6 3' if least == 2 else '6'})"
    numbers = counted(CapabilityRequest(request.id, _numbers(request.args)), least, most, usage)
    return library(_MATH[operation])(*numbers)


def _numbers(args: tuple[Any, ...]) -> tuple[Any, ...]:
    if len(args) != 1 or args[0].__class__ is not Map:
        return args
    given = named(args[0], "args")
    if given is not None:
        return tuple(given) if hasattr(given, "__iter__") and not isinstance(given, str | Map) else (given,)
    found = [named(args[0], name) for name in ("a", "b")]
    return args if found[0] is None else tuple(each for each in found if each is not None)


def parse(request: CapabilityRequest) -> Value:
    """Return the data of a JSON text; keys of objects are texts."""
    (text,) = counted(request, 1, 1, '(call :ccos.data.parse-json "[1, 2]")')
    return library("parse-json")(text)


def parse_keyed(request: CapabilityRequest) -> Value:
    """Return the data of a JSON text; keys of objects are keywords, where keywords can be written so."""
    (text,) = counted(request, 1, 1, '(call :ccos.json.parse "{}")')
    return _keyed(library("parse-json")(text))


def serialize(request: CapabilityRequest) -> Value:
    """Return a value as JSON text; one that JSON cannot hold is an error."""
    (value,) = counted(request, 1, 1, "(call :ccos.data.serialize-json value)")
    return library("serialize-json")(value)


def _keyed(value: Any) -> Any:
    if value.__class__ is Map:
        return Map.wrap({Keyword(key) if _is_word(key) else key: _keyed(item) for key, item in value.items()})
    return tuple(map(_keyed, value)) if isinstance(value, tuple) else value


def _is_word(key: Any) -> bool:
    """Tell whether a text is one that reads back as a keyword: a letter, then letters, digits and - _ . alone."""
    rest = key.replace("-", "").replace("_", "").replace(".", "")
    return bool(key[:1].isalpha() and rest.isalnum() and key.isascii())


def parallel(request: CapabilityRequest) -> Value:
    """Return the values of what a vector holds: they were computed when the call was made.

    Raises:
        ProgramError: One is a function, which runs in the program alone.
    """
    usage = "(step-parallel (one) (another)), or (pmap (fn [task] (task)) [one another])"
    given = counted(request, 1, None, usage)
    values = given[0] if len(given) == 1 and isinstance(given[0], tuple) else given
    if any(callable(each) and each.__class__ is not Keyword for each in values):
        raise wrong(request, "takes values, and runs no functions: those run in the program", usage)
    return tuple(values)
