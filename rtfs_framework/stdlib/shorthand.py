"""Shorthand names in the types of the library's functions: short to read, and nothing a program can write.

In: type expressions with shorthand names. Out: the same without them, or what the names in them stand for.
"""

from __future__ import annotations

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
    "time": "[:union :timestamp :string]",
    "type": "[:union :keyword :symbol vector function]",
    "error": ":any",
}
"""Shorthand names. No type expression says that a value is an error value."""

PLAIN = frozenset({"vector", "list", "set", "map", "function", "error"})
"""Names that say what they stand for: any vector, any list and so on."""


def expanded(type_: str) -> str:
    """Return a type expression without shorthand names."""
    return "".join([expanded(NAMES[word]) if word in NAMES else word for word in _words(type_)])


def _words(type_: str) -> list[str]:
    """Return a type expression's words, and what is between them."""
    return type_.replace(" ", "\n \n").replace("[", "\n[\n").replace("]", "\n]\n").split("\n")


def shorthands(types: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """Return what the shorthand names in type expressions stand for, but for plain ones."""
    found: dict[str, str] = {}
    todo = [*reversed(types)]
    while todo:
        used = [name for name in _words(todo.pop()) if name in NAMES and name not in found and name not in PLAIN]
        found.update((name, NAMES[name]) for name in used)
        todo.extend(NAMES[name] for name in reversed(used))
    return tuple(found.items())
