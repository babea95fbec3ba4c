"""Read type expressions (LANGUAGE.md 12.2, 0.14): a form in, a `Type` or a LanguageError with the accepted form out.

Codes: E0301 no type, E0302 unknown constructor, E0303 wrong parts, E0304 bad map entry, E0305 unknown predicate,
E0306 bad predicate argument, E0307 no literal, E0308 bad shape, E0309 nested too deeply.
"""

from __future__ import annotations

from rtfs_framework.lang import records
from rtfs_framework.lang.annotations import Any, Callable
from rtfs_framework.lang.diagnostics import Diagnostic, did_you_mean
from rtfs_framework.lang.errors import LanguageError
from rtfs_framework.lang.forms import Atom, Form, MapForm, Name, VectorForm, keyword_of
from rtfs_framework.lang.source import Source, Span
from rtfs_framework.lang.types import model as ty
from rtfs_framework.lang.types.model import Type
from rtfs_framework.lang.types.names import PRIMITIVES
from rtfs_framework.lang.types.predicates import PREDICATES, complaint_about
from rtfs_framework.lang.values import Keyword

FullName = Callable[[str, Span], str]
"""Gives the full name of a type whose name stands at a place."""

MAX_NESTING = 60
"""Types nested deeper than this are refused, so that no later stage has to count."""


def as_written(name: str, span: Span) -> str:  # noqa: ARG001 - the shape of `full`
    """Return a type's name as it is."""
    return name


def read_type(form: Form, source: Source | None = None, full: FullName = as_written) -> Type:
    """Return the type that a form spells; `full` gives the full names of types that are not primitive.

    Raises:
        LanguageError: the form is no type; one diagnostic (E0301..E0309) with its span and the accepted form.
    """
    return _Reader(source, full).read(form, 0)


@records.frozen()
class _Reader:
    source: Source | None
    full: FullName

    def fail(self, form: Form, code: str, message: str, way_out: str | None = None) -> LanguageError:
        return LanguageError([Diagnostic(code=code, message=message, source=self.source, span=form.span, help=way_out)])

    def read(self, form: Form, depth: int) -> Type:
        if depth > MAX_NESTING:
            raise self.fail(form, "E0309", f"a type may not nest deeper than {MAX_NESTING} levels")
        name = _word(form)
        if name is not None:
            return PRIMITIVES.get(name) or ty.NamedType(self.full(name, form.span))
        if isinstance(form, VectorForm):
            return self.constructor(form, depth)
        way_out = "a type is :int, :string, a name, or [:vector T], [:map [:key T]], [:union T U], ..."
        if isinstance(form, MapForm):
            way_out = "write [:map [:key T] ...] or [:map {:key T}]"
        raise self.fail(form, "E0301", "this is not a type", way_out)

    def constructor(self, form: VectorForm, depth: int) -> Type:
        head = keyword_of(form.items[0]) if form.items else None
        if head is None:
            raise self.fail(form, "E0301", "a type in brackets starts with a keyword", "for example [:vector :int]")
        found = _CONSTRUCTORS.get(head)
        if found is None:
            near = did_you_mean(head, _CONSTRUCTORS)
            known = "known are " + " ".join(f":{name}" for name in _CONSTRUCTORS)
            raise self.fail(form.items[0], "E0302", f"unknown type constructor :{head}", near or known)
        accepted, build = found
        parts = form.items[1:]
        made = build(self, parts, depth + 1)
        if made is None:
            raise self.fail(form, "E0303", f"malformed type [:{head} ...]", f"the accepted form is {accepted}")
        return made

    def all(self, forms: tuple[Form, ...], depth: int) -> tuple[Type, ...]:
        return tuple([self.read(f, depth) for f in forms])

    def literal(self, form: Form) -> Any:
        if isinstance(form, Atom):
            return form.value
        raise self.fail(form, "E0307", "expected a literal", "keywords, strings, numbers, true, false and nil are")

    def argument(self, form: Form) -> Any:
        """Return a predicate's argument: a literal or a vector of literals."""
        return tuple([self.literal(f) for f in form.items]) if isinstance(form, VectorForm) else self.literal(form)

    def predicate(self, form: VectorForm, name: str) -> ty.Predicate:
        spec = PREDICATES[name]
        predicate = ty.Predicate(name, tuple([self.argument(f) for f in form.items[1:]]))
        complaint = complaint_about(predicate)
        if complaint is not None:
            raise self.fail(form, "E0306", f":{name}: {complaint}", f"the accepted form is {spec.form}")
        return predicate


def _word(form: Form) -> str | None:
    """Return the name that a symbol or keyword spells."""
    return form.name if isinstance(form, Name) else keyword_of(form)


def _is_name(form: Form, name: str) -> bool:
    return isinstance(form, Name) and form.name == name


Parts = tuple[Form, ...]


def _one(make: Callable[[Type], Type]) -> Callable[[_Reader, Parts, int], Type | None]:
    return lambda reader, parts, depth: make(reader.read(parts[0], depth)) if len(parts) == 1 else None


def _some(make: Callable[[tuple[Type, ...]], Type]) -> Callable[[_Reader, Parts, int], Type | None]:
    return lambda reader, parts, depth: make(reader.all(parts, depth)) if parts else None


def _map(reader: _Reader, parts: Parts, depth: int) -> Type | None:
    if len(parts) == 1 and isinstance(parts[0], MapForm):
        entries = [(key, value, False, key) for key, value in parts[0].pairs]
    else:
        entries = [_entry(reader, part) for part in parts]
    found: list[ty.MapEntry] = []
    rest: Type | None = None
    for key, type_form, optional, place in entries:
        type_ = reader.read(type_form, depth)
        if keyword_of(key) == "*":
            if rest is not None or optional:
                raise reader.fail(place, "E0304", "the entry for all other keys is [:* T], once")
            rest = type_
            continue
        value = _key(reader, key)
        if any(entry.key == value and entry.key.__class__ is value.__class__ for entry in found):
            raise reader.fail(place, "E0304", "this key is already described", "describe every key once")
        found.append(ty.MapEntry(value, type_, optional))
    return ty.MapType(tuple(found), rest)


def _entry(reader: _Reader, part: Form) -> tuple[Form, Form, bool, Form]:
    if isinstance(part, VectorForm):
        size = len(part.items)
        if size == 2 or (size == 3 and _is_name(part.items[2], "?")):
            return part.items[0], part.items[1], size == 3, part
    raise reader.fail(part, "E0304", "malformed map entry", "the accepted form is [:key T], [:key T ?] or [:* T]")


def _key(reader: _Reader, form: Form) -> Any:
    value = reader.literal(form)
    if value.__class__ not in (Keyword, str, int):
        raise reader.fail(form, "E0304", "a key in a map type is a keyword, string or integer")
    return value


def _map_of(reader: _Reader, parts: Parts, depth: int) -> Type | None:
    return ty.MapOfType(*reader.all(parts, depth)) if len(parts) == 2 else None


def _function(reader: _Reader, parts: Parts, depth: int) -> Type | None:
    if len(parts) != 2 or not isinstance(parts[0], VectorForm):
        return None
    parameters, rest = parts[0].items, None
    if len(parameters) > 1 and _is_name(parameters[-2], "&"):
        parameters, rest = parameters[:-2], reader.read(parameters[-1], depth)
    if any(_is_name(p, "&") for p in parameters):
        return None
    return ty.FunctionType(reader.all(parameters, depth), rest, reader.read(parts[1], depth))


def _and(reader: _Reader, parts: Parts, depth: int) -> Type | None:
    members: list[Type] = []
    predicates: list[ty.Predicate] = []
    for part in parts:
        head = keyword_of(part.items[0]) if isinstance(part, VectorForm) and part.items else None
        if isinstance(part, VectorForm) and head in PREDICATES:
            predicates.append(reader.predicate(part, head))
        elif head is None or head in _CONSTRUCTORS:
            members.append(reader.read(part, depth))
        else:
            near = did_you_mean(head, [*PREDICATES, *_CONSTRUCTORS])
            known = "known are " + " ".join(f":{name}" for name in PREDICATES)
            raise reader.fail(part, "E0305", f"unknown predicate :{head}", near or known)
    return ty.AndType(tuple(members), tuple(predicates)) if members else None


def _enum(reader: _Reader, parts: Parts, depth: int) -> Type | None:  # noqa: ARG001
    return ty.EnumType(tuple([reader.literal(p) for p in parts])) if parts else None


def _val(reader: _Reader, parts: Parts, depth: int) -> Type | None:  # noqa: ARG001
    return ty.LiteralType(reader.literal(parts[0])) if len(parts) == 1 else None


def _array(reader: _Reader, parts: Parts, depth: int) -> Type | None:
    if not 1 <= len(parts) <= 2:
        return None
    shape = [_dimension(reader, f) for f in _shape(reader, parts[1])] if parts[1:] else []
    return ty.ArrayType(reader.read(parts[0], depth), tuple(shape))


def _shape(reader: _Reader, form: Form) -> Parts:
    if isinstance(form, VectorForm) and form.items:
        return form.items
    raise reader.fail(form, "E0308", "a shape is a vector of lengths", "for example [2 ?]")


def _dimension(reader: _Reader, form: Form) -> int | None:
    if _is_name(form, "?"):
        return None
    if isinstance(form, Atom) and form.value.__class__ is int and form.value >= 0:
        return int(form.value)
    raise reader.fail(form, "E0308", "a length is a non-negative integer or ?", "for example [2 ?]")


def _two_way(reader: _Reader, parts: Parts, depth: int) -> Type | None:
    return ty.StreamType(*reader.all(parts, depth)) if len(parts) == 2 else None


def _resource(reader: _Reader, parts: Parts, depth: int) -> Type | None:  # noqa: ARG001
    name = _word(parts[0]) if len(parts) == 1 else None
    return None if name is None else ty.ResourceType(name)


_MAP = "[:map [:key T] [:key T ?] ... [:* T]] or [:map {:key T ...}]"
_CONSTRUCTORS: dict[str, tuple[str, Callable[[_Reader, Parts, int], Type | None]]] = {
    "vector": ("[:vector T]", _one(ty.VectorType)),
    "list": ("[:list T]", _one(ty.ListType)),
    "set": ("[:set T]", _one(ty.SetType)),
    "tuple": ("[:tuple T U ...]", _some(ty.TupleType)),
    "map": (_MAP, _map),
    "record": (_MAP, _map),
    "map-of": ("[:map-of K V]", _map_of),
    "dict": ("[:dict K V]", _map_of),
    "fn": ("[:fn [A B & V] R]", _function),
    "=>": ("[:=> [A B & V] R]", _function),
    "union": ("[:union T U ...]", _some(ty.UnionType)),
    "or": ("[:or T U ...]", _some(ty.UnionType)),
    "optional": ("[:optional T]", _one(ty.OptionalType)),
    "and": ("[:and T ... [:predicate argument] ...]", _and),
    "enum": ("[:enum literal ...]", _enum),
    "val": ("[:val literal]", _val),
    "array": ("[:array T] or [:array T [2 ?]]", _array),
    "resource": ("[:resource Name]", _resource),
    "stream": ("[:stream T]", _one(ty.StreamType)),
    "stream-bi": ("[:stream-bi IN OUT]", _two_way),
}
