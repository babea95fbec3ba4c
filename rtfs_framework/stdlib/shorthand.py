"""The types of the library's functions, with shorthand names: short to read, and nothing a program can write.

In: Python functions, or type expressions with shorthand names. Out: the ways to call the function, as types; the same
without the names, or what they stand for.

A type is never narrower than the truth: an argument outside it makes the function fail whatever the others are, and a
result always fits (`tests/stdlib/test_signatures.py` calls every function with values of every kind). Lists as a type
take vectors too. Functions are annotated with the names here (`ty.sequence`), with those of types that programs write
(`ty.int`), and with Python's where they say the same of a result.
"""

from __future__ import annotations

from rtfs_framework.lang.annotations import TYPE_CHECKING, Any, Callable

if TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        """Say that whatever stands in an annotation may be anything: what it is, the function finds out."""


NAMES: dict[str, str] = {
    "number": "[:union :int :float]",
    "vector": "[:vector :any]",
    "list": "[:list :any]",
    "set": "[:set :any]",
    "map": "[:map-of :any :any]",
    "function": "[:fn [& :any] :any]",
    "callable": "[:union function :keyword map set vector]",
    "table": "[:optional map]",
    "grown": "[:union list set map]",
    "placed": "[:optional [:union list set :string]]",
    "sequence": "[:optional [:union list set :string map]]",
    "part": "[:union list :string]",
    "name": "[:union :keyword :string :symbol]",
    "numbers": "[:optional [:union [:list number] [:set number] :string map]]",
    "associative": "[:optional [:union map vector]]",
    "time": "[:union :timestamp :string]",
    "type": "[:union :keyword :symbol vector function]",
    "error": ":any",
}
"""Shorthand names, made of those before them. No type expression says that a value is an error value."""

PLAIN = frozenset({"vector", "list", "set", "map", "function", "error"})
"""Names that say what they stand for: any vector, any list and so on."""


_PYTHON: dict[str, str] = {
    "Any": ":any", "None": ":nil", "NoReturn": ":never", "bool": ":bool", "int": ":int", "float": ":float",
    "str": ":string", "Keyword": ":keyword", "Symbol": ":symbol", "Timestamp": ":timestamp", "Uuid": ":uuid",
    "List": "list", "Set": "set", "Map": "map", "ErrorValue": "error", "tuple[Any, ...]": "vector",
    "tuple[int, ...]": "[:vector :int]", "tuple[str, ...]": "[:vector :string]",
    "tuple[tuple[Any, ...], ...]": "[:vector vector]",
}  # fmt: skip
"""What Python's annotations mean."""


def ways_of(function: Callable[..., Any], low: int, high: int | None) -> tuple[str, ...]:
    """Return the ways to call a function, by its annotations: with `low` to `high` arguments (None: any number).

    Raises:
        ValueError: an annotation is missing, or is no type.
    """
    most, said = function.__code__.co_argcount, function.__annotations__
    names = function.__code__.co_varnames[: most + (high is None)]
    *given, result = [_type(said.get(name, "")) for name in (*names, "return")]
    more = [] if high is not None else [f"& {given[most]}"]
    ways = [[*given[:count], *(more if count == most else ())] for count in range(low, most + 1)]
    return tuple([f"[:fn [{' '.join(way)}] {result}]" for way in ways])


def _type(annotation: str) -> str:
    if annotation in _PYTHON:
        return _PYTHON[annotation]
    words = annotation.split(" | ")
    if len(words) > 1:
        rest = [_type(word) for word in words if word != "None"]
        one = rest[0] if len(rest) == 1 else f"[:union {' '.join(rest)}]"
        return one if len(rest) == len(words) else f"[:optional {one}]"
    name = annotation.removeprefix("ty.")
    if name == annotation:
        message = f"{annotation!r} is no type of an argument or a result"
        raise ValueError(message)
    return name if name in NAMES else f":{name}"


def whole(ways: tuple[str, ...]) -> str:
    """Return one type without shorthand names: a union of functions lists the ways to call one."""
    return expanded(ways[0] if len(ways) == 1 else f"[:union {' '.join(ways)}]")


def expanded(type_: str) -> str:
    """Return a type expression without shorthand names."""
    return "".join([_WHOLE.get(word, word) for word in _words(type_)])


def _words(type_: str) -> list[str]:
    """Return a type expression's words, and what is between them."""
    return type_.replace(" ", "\n \n").replace("[", "\n[\n").replace("]", "\n]\n").split("\n")


_WHOLE: dict[str, str] = {}
for _name, _text in NAMES.items():
    _WHOLE[_name] = expanded(_text)


def shorthands(types: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """Return what the shorthand names in type expressions stand for, but for plain ones."""
    found: dict[str, str] = {}
    todo = [*reversed(types)]
    while todo:
        used = [name for name in _words(todo.pop()) if name in NAMES and name not in found and name not in PLAIN]
        found.update((name, NAMES[name]) for name in used)
        todo.extend(NAMES[name] for name in reversed(used))
    return tuple(found.items())
