"""Describe types as JSON Schema (draft 2020-12), the contract that a model's reply is asked to keep.

The schema accepts what `coerce.from_json` accepts, up to refinements that JSON Schema cannot say (they are checked when
the reply is read). Names of the user's types become `$defs`, so recursive types are finite.
"""

from __future__ import annotations

from rtfs_framework.lang.annotations import Any, Callable
from rtfs_framework.lang.literals import KEYWORD, SYMBOL
from rtfs_framework.lang.never import forgotten
from rtfs_framework.lang.types import model as ty
from rtfs_framework.lang.types.jsonable import plain, plain_key
from rtfs_framework.lang.types.model import Primitive, Type
from rtfs_framework.lang.types.names import Lookup, no_names, resolve
from rtfs_framework.lang.values import Keyword

DRAFT = "https://json-schema.org/draft/2020-12/schema"

Schema = dict[str, Any]

_PRIMITIVE: dict[Primitive, Schema] = {
    Primitive.INT: {"type": "integer"},
    Primitive.FLOAT: {"type": "number"},
    Primitive.STRING: {"type": "string"},
    Primitive.BOOL: {"type": "boolean"},
    Primitive.NIL: {"type": "null"},
    Primitive.KEYWORD: {"type": "string", "pattern": f"^:?{KEYWORD}$"},
    Primitive.SYMBOL: {"type": "string", "pattern": f"^{SYMBOL}$"},
    Primitive.ANY: {},
    Primitive.NEVER: {"not": {}},
    Primitive.TIMESTAMP: {"type": "string", "format": "date-time"},
    Primitive.UUID: {"type": "string", "format": "uuid"},
}

_INTEGER: Schema = {"pattern": "^-?(0|[1-9][0-9]*)$"}
_KEY: dict[Primitive, Schema] = {
    Primitive.INT: _INTEGER,
    Primitive.FLOAT: _INTEGER,
    Primitive.BOOL: {"enum": ["true", "false"]},
    **{p: _PRIMITIVE[p] for p in (Primitive.KEYWORD, Primitive.SYMBOL, Primitive.TIMESTAMP, Primitive.UUID)},
}
"""Member names that stand for keys of primitive types."""


def to_json_schema(type_: Type, lookup: Lookup = no_names) -> Schema:
    """Return the schema of a type; an unknown name, like a function, becomes a schema that nothing fits."""
    describer = _Describer(lookup)
    schema = describer.of(type_)
    return {"$schema": DRAFT, **schema, **({"$defs": describer.defs} if describer.defs else {})}


class _Describer:
    def __init__(self, lookup: Lookup) -> None:
        self.lookup = lookup
        self.defs: dict[str, Schema] = {}

    def of(self, type_: Type) -> Schema:  # noqa: C901 - one line per kind of type
        match type_:
            case Primitive():
                return dict(_PRIMITIVE[type_])
            case ty.NamedType(name):
                return self.named(name)
            case ty.VectorType(item) | ty.ListType(item):
                return {"type": "array", "items": self.of(item)}
            case ty.SetType(item):
                return {"type": "array", "items": self.of(item), "uniqueItems": True}
            case ty.TupleType(items):
                prefix = [self.of(item) for item in items]
                return {"type": "array", "prefixItems": prefix, "items": False, **_counts(len(items), len(items))}
            case ty.MapType():
                return self.map(type_)
            case ty.MapOfType(key, value):
                names = self.key_names(key)
                extra = {} if names is None else {"propertyNames": names}
                return {"type": "object", "additionalProperties": self.of(value), **extra}
            case ty.FunctionType() | ty.ResourceType() | ty.StreamType():
                return {"not": {}}
            case ty.UnionType(members):
                return {"anyOf": [self.of(member) for member in members]}
            case ty.OptionalType(inner):
                return {"anyOf": [self.of(inner), {"type": "null"}]}
            case ty.AndType():
                return self.and_(type_)
            case ty.EnumType(values):
                return {"enum": _distinct([plain(value) for value in values])}
            case ty.LiteralType(value):
                return {"const": plain(value)}
            case ty.ArrayType(item, shape):
                return self.array(item, shape or (None,))
            case _ as never:
                raise forgotten(never)

    def named(self, name: str) -> Schema:
        found = resolve(name, self.lookup)
        if found is None:
            return {"not": {}}
        if self.lookup(name) is None:
            return self.of(found)
        if name not in self.defs:
            self.defs[name] = {}
            self.defs[name] = self.of(found)
        return {"$ref": "#/$defs/" + name.replace("~", "~0").replace("/", "~1")}

    def map(self, type_: ty.MapType) -> Schema:
        schema: Schema = {"type": "object"}
        if type_.entries:
            schema["properties"] = {plain_key(e.key): self.of(e.type) for e in type_.entries}
        required = [plain_key(e.key) for e in type_.entries if not e.optional]
        if required:
            schema["required"] = _distinct(required)
        if type_.rest is not None:
            schema["additionalProperties"] = self.of(type_.rest)
        return schema

    def key_names(self, key: Type) -> Schema | None:
        """Return the schema of an object's member names, None when every name will do.

        A name is read as a text, else as the integer or boolean that it spells; no key is anything else.
        """
        if isinstance(key, ty.NamedType):
            found = resolve(key.name, self.lookup)
            return {"not": {}} if found is None else self.key_names(found)
        if key in (Primitive.STRING, Primitive.ANY):
            return None
        if isinstance(key, Primitive):
            return _KEY.get(key, {"not": {}})
        if isinstance(key, ty.EnumType | ty.LiteralType):
            values = key.values if isinstance(key, ty.EnumType) else (key.value,)
            return {"enum": _distinct([plain_key(v) for v in values if isinstance(v, str | int | Keyword)])}
        if isinstance(key, ty.UnionType | ty.OptionalType):
            ways = [self.key_names(m) for m in (key.members if isinstance(key, ty.UnionType) else (key.type,))]
            fit = [way for way in ways if way is not None]
            return {"anyOf": fit} if len(fit) == len(ways) else None
        if isinstance(key, ty.AndType):
            return self.key_names(key.members[0])
        return {"not": {}}

    def and_(self, type_: ty.AndType) -> Schema:
        limits: Schema = {}
        for predicate in type_.predicates:
            limits = _both(limits, _limit(predicate))
        members = [self.of(member) for member in type_.members]
        if len(members) == 1:
            return _both(members[0], limits)
        return {"allOf": [*members, *([limits] if limits else [])]}

    def array(self, item: Type, shape: tuple[int | None, ...]) -> Schema:
        inner = self.of(item) if len(shape) == 1 else self.array(item, shape[1:])
        return {"type": "array", "items": inner, **_counts(shape[0], shape[0])}


def _both(first: Schema, second: Schema) -> Schema:
    """Return a schema that demands both; without a clash they merge, which small models follow more easily."""
    if not second:
        return first
    return {"allOf": [first, second]} if first.keys() & second.keys() or "$ref" in first else {**first, **second}


def _limit(predicate: ty.Predicate) -> Schema:
    """Return what JSON Schema can say of a predicate."""
    say = _LIMITS.get(predicate.name)
    return {} if say is None else say(*predicate.args)


def _counts(low: int | None, high: int | None) -> Schema:
    return _bounds("Items", low, high)


def _sizes(low: int | None, high: int | None) -> Schema:
    """Counts hold for whatever the value is: array, object or string."""
    return {**_bounds("Items", low, high), **_bounds("Properties", low, high), **_bounds("Length", low, high)}


def _bounds(what: str, low: int | None, high: int | None) -> Schema:
    lowest = {} if low is None else {f"min{what}": low}
    return lowest if high is None else {**lowest, f"max{what}": high}


def _distinct(values: list[Any]) -> list[Any]:
    """Return the values without repetitions (1, 1.0 and true differ)."""
    seen: dict[tuple[type, Any], Any] = {}
    for value in values:
        seen.setdefault((value.__class__, value), value)
    return list(seen.values())


_LIMITS: dict[str, Callable[..., Schema]] = {
    ">": lambda bound: {"exclusiveMinimum": bound},
    "<": lambda bound: {"exclusiveMaximum": bound},
    ">=": lambda bound: {"minimum": bound},
    "<=": lambda bound: {"maximum": bound},
    "=": lambda value: {"const": plain(value)},
    "!=": lambda value: {"not": {"const": plain(value)}},
    "in-range": lambda low, high: {"minimum": low, "maximum": high},
    "length": lambda n: _bounds("Length", n, n),
    "min-length": lambda n: _bounds("Length", n, None),
    "max-length": lambda n: _bounds("Length", None, n),
    "matches-regex": lambda text: {"pattern": text},
    "is-email": lambda: {"format": "email"},
    "is-url": lambda: {"format": "uri"},
    "count": lambda n: _sizes(n, n),
    "min-count": lambda n: _sizes(n, None),
    "max-count": lambda n: _sizes(None, n),
    "non-empty": lambda: _sizes(1, None),
    "has-key": lambda key: {"required": [plain_key(key)]},
    "required-keys": lambda keys: {"required": _distinct([plain_key(key) for key in keys])},
}
