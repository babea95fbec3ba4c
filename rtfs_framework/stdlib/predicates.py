"""What kind of value something is. Every predicate takes one value of any kind and gives a boolean."""

from __future__ import annotations

from rtfs_framework.lang.annotations import Any
from rtfs_framework.lang.maps import Map, Set
from rtfs_framework.lang.values import (
    ErrorValue,
    Keyword,
    Reduced,
    Resource,
    Symbol,
    Timestamp,
    Uuid,
    is_function,
    type_name,
)
from rtfs_framework.lang.vectors import GrownVector, List
from rtfs_framework.stdlib.check import NUMBERS, VECTORS
from rtfs_framework.stdlib.table import builtin

_COLLECTIONS: frozenset[Any] = VECTORS | {Map, Set}
_TYPE_KEYWORDS = {
    "integer": "int",
    "boolean": "bool",
    "function": "fn",
    "resource-handle": "resource",
}
"""Where a type's keyword differs from its `type-name`."""
_KEYWORDS: dict[type, Keyword] = {}
"""The keywords of the classes that were asked for."""


@builtin(
    "nil?",
    ("(nil? nil)", "true"),
    ("(nil? false)", "false"),
    doc="Tell whether a value is nil.",
    inline={1: "a is None"},
)
def is_nil(value: Any) -> bool:
    return value is None


@builtin(
    "bool?",
    ("(bool? true)", "true"),
    ("(boolean? nil)", "false"),
    doc="Tell whether a value is true or false.",
    aliases=("boolean?",),
)
def is_bool(value: Any) -> bool:
    return value is True or value is False


@builtin("true?", ("(true? true)", "true"), ("(true? 1)", "false"), doc="Tell whether a value is exactly true.")
def is_true(value: Any) -> bool:
    return value is True


@builtin("false?", ("(false? false)", "true"), ("(false? nil)", "false"), doc="Tell whether a value is exactly false.")
def is_false(value: Any) -> bool:
    return value is False


@builtin(
    "int?",
    ("(int? 1)", "true"),
    ("(integer? 1.0)", "false"),
    doc="Tell whether a value is an integer.",
    aliases=("integer?",),
    inline={1: "a.__class__ is int"},
)
def is_int(value: Any) -> bool:
    return value.__class__ is int


@builtin(
    "float?",
    ("(float? 1.5)", "true"),
    ("(float? 1)", "false"),
    doc="Tell whether a value is a float.",
    inline={1: "a.__class__ is float"},
)
def is_float(value: Any) -> bool:
    return value.__class__ is float


@builtin("number?", ("(number? 1.5)", "true"), ('(number? "1")', "false"), doc="Tell whether a value is a number.")
def is_number(value: Any) -> bool:
    return value.__class__ in NUMBERS


@builtin(
    "string?",
    ('(string? "a")', "true"),
    ("(string-p :a)", "false"),
    doc="Tell whether a value is a string.",
    aliases=("string-p",),
    inline={1: "a.__class__ is str"},
)
def is_string(value: Any) -> bool:
    return value.__class__ is str


@builtin("keyword?", ("(keyword? :a)", "true"), ('(keyword? "a")', "false"), doc="Tell whether a value is a keyword.")
def is_keyword(value: Any) -> bool:
    return value.__class__ is Keyword


@builtin("symbol?", ("(symbol? 'a)", "true"), ("(symbol? :a)", "false"), doc="Tell whether a value is a symbol.")
def is_symbol(value: Any) -> bool:
    return value.__class__ is Symbol


@builtin(
    "vector?",
    ("(vector? [])", "true"),
    ("(vector? '(1))", "false"),
    doc="Tell whether a value is a vector.",
    inline={1: "isvector(a) or a.__class__ is rt_grown"},
)
def is_vector(value: Any) -> bool:
    return value.__class__ is tuple or value.__class__ is GrownVector


@builtin("list?", ("(list? '(1 2))", "true"), ("(list? [1])", "false"), doc="Tell whether a value is a list.")
def is_list(value: Any) -> bool:
    return value.__class__ is List


@builtin(
    "map?",
    ("(map? {})", "true"),
    ("(map? [])", "false"),
    doc="Tell whether a value is a map.",
    inline={1: "a.__class__ is rt_map"},
)
def is_map(value: Any) -> bool:
    return value.__class__ is Map


@builtin("set?", ("(set? #{1})", "true"), ("(set? [])", "false"), doc="Tell whether a value is a set.")
def is_set(value: Any) -> bool:
    return value.__class__ is Set


@builtin(
    "fn?",
    ("(fn? inc)", "true"),
    ("(fn? :a)", "false"),
    doc="Tell whether a value is a function; keywords and collections that can be called are none.",
)
def is_fn(value: Any) -> bool:
    return is_function(value)


@builtin(
    "seq?",
    ("(seq? [1])", "true"),
    ("(sequential? {})", "false"),
    doc="Tell whether a value is a vector or a list.",
    aliases=("sequential?",),
)
def is_seq(value: Any) -> bool:
    return value.__class__ in VECTORS


@builtin("coll?", ("(coll? {})", "true"), ('(coll? "a")', "false"), doc="Tell whether a value is a collection.")
def is_coll(value: Any) -> bool:
    return value.__class__ in _COLLECTIONS


@builtin(
    "error?",
    ('(error? (Exception. "x"))', "true"),
    ('(error? "x")', "false"),
    doc="Tell whether a value is an error value.",
)
def is_error(value: Any) -> bool:
    return value.__class__ is ErrorValue


@builtin(
    "timestamp?",
    ("(timestamp? 2026-01-02T03:04:05Z)", "true"),
    ('(timestamp? "2026-01-02T03:04:05Z")', "false"),
    doc="Tell whether a value is a timestamp.",
)
def is_timestamp(value: Any) -> bool:
    return value.__class__ is Timestamp


@builtin(
    "uuid?",
    ("(uuid? 123e4567-e89b-12d3-a456-426614174000)", "true"),
    ("(uuid? nil)", "false"),
    doc="Tell whether a value is a UUID.",
)
def is_uuid(value: Any) -> bool:
    return value.__class__ is Uuid


@builtin("boolean", ("(boolean nil)", "false"), ("(boolean 0)", "true"), doc="Tell whether a value counts as true.")
def as_boolean(value: Any) -> bool:
    return value is not None and value is not False


@builtin(
    "reduced?",
    ("(reduced? (reduced 1))", "true"),
    doc="Tell whether a value would end a reduce.",
    inline={1: "a.__class__ is rt_reduced_value"},
)
def is_reduced(value: Any) -> bool:
    return value.__class__ is Reduced


@builtin("resource?", ("(resource? nil)", "false"), doc="Tell whether a value is a resource handle.")
def is_resource(value: Any) -> bool:
    return value.__class__ is Resource


@builtin(
    "type-name", ("(type-name 1)", '"integer"'), ("(type-name [])", '"vector"'), doc="Name a value's type.", cheap=True
)
def name_of_type(value: Any) -> str:
    return type_name(value)


@builtin(
    "type-of",
    ("(type-of 1)", ":int"),
    ("(type-of {})", ":map"),
    ("(type-of inc)", ":fn"),
    doc="Give a value's type as the keyword that type expressions use.",
)
def type_of(value: Any) -> Keyword:
    found = _KEYWORDS.get(value.__class__)
    if found is None:
        name = type_name(value)
        found = _KEYWORDS[value.__class__] = Keyword(_TYPE_KEYWORDS.get(name, name))
    return found
