"""Check values against types: `violation` says of one value what is wrong, `checker` of many against one type.

A type becomes a closure for each of its parts, which takes (value, run) and returns None or a `Failure`. `run` counts
the nesting of named types and remembers their verdicts, so that recursive types over shared or deep values stay linear
and cannot exhaust the stack.
"""

from __future__ import annotations

from rtfs_framework.lang.annotations import Any, Callable
from rtfs_framework.lang.maps import Map, Set, equal
from rtfs_framework.lang.meter import charge
from rtfs_framework.lang.never import forgotten
from rtfs_framework.lang.pattern import BadPattern
from rtfs_framework.lang.types import model as ty
from rtfs_framework.lang.types.failure import (
    TOO_DEEP,
    Failure,
    brief,
    count_of,
    mismatch,
    missing,
    named_brief,
    predicate_failed,
    step_of,
    wrong_shape,
)
from rtfs_framework.lang.types.model import Primitive, Type
from rtfs_framework.lang.types.names import Lookup, no_names, resolve
from rtfs_framework.lang.types.predicates import test_of
from rtfs_framework.lang.types.show import show_predicate, show_type
from rtfs_framework.lang.values import Keyword, Resource, Symbol, Timestamp, Uuid, is_function, type_name
from rtfs_framework.lang.vectors import GrownVector, List

MAX_DEPTH = 400
"""Levels of named (recursive) types that a value may go through."""

CLASSES: dict[Primitive, frozenset[type]] = {
    Primitive.INT: frozenset({int}),
    Primitive.FLOAT: frozenset({float, int}),
    Primitive.STRING: frozenset({str}),
    Primitive.BOOL: frozenset({bool}),
    Primitive.NIL: frozenset({type(None)}),
    Primitive.KEYWORD: frozenset({Keyword}),
    Primitive.SYMBOL: frozenset({Symbol}),
    Primitive.NEVER: frozenset(),
    Primitive.TIMESTAMP: frozenset({Timestamp}),
    Primitive.UUID: frozenset({Uuid}),
}
"""The Python classes whose instances fit a primitive (`:any` has none: everything fits)."""
VECTOR = frozenset({tuple, GrownVector})
_LIST = frozenset({List, *VECTOR})
_SET = frozenset({Set})
_STREAM, _OF, _TAKES = Keyword("stream"), Keyword("of"), Keyword("takes")
_ABSENT = object()


def violation(type_: Type, value: Any, lookup: Lookup = no_names) -> str | None:
    """Return None when the value fits, else the message after "Type validation error: " (LANGUAGE.md 12.5)."""
    return checker(type_, lookup)(value)


def checker(type_: Type, lookup: Lookup = no_names) -> Callable[[Any], str | None]:
    """Return a function from a value to None (it fits) or the message after "Type validation error: "."""
    basic = resolve(type_.name, lookup) if isinstance(type_, ty.NamedType) and lookup(type_.name) is None else type_
    if basic is Primitive.ANY:
        return lambda _value: None
    if isinstance(basic, Primitive):
        classes, expected = CLASSES[basic], f"Type mismatch: expected {show_type(type_)}, got "
        return lambda value: None if value.__class__ in classes else expected + type_name(value)
    find = failure_finder(type_, lookup)

    def message(value: Any) -> str | None:
        failure = find(value)
        return None if failure is None else str(failure)

    return message


def failure_finder(type_: Type, lookup: Lookup = no_names) -> Callable[[Any], Failure | None]:
    """Return a function from a value to None (it fits) or why it does not fit."""
    check = _Scope(lookup).of(type_)

    def find(value: Any) -> Failure | None:
        try:
            return check(value, _Run())
        except RecursionError:
            return TOO_DEEP

    return find


class _Run:
    """One check of one value: the nesting of named types and their verdicts so far."""

    __slots__ = ("depth", "verdicts")

    def __init__(self) -> None:
        self.depth = 0
        self.verdicts: dict[tuple[int, int], Failure | None] = {}


_Check = Callable[[Any, _Run], "Failure | None"]


class _Scope:
    """One compilation: the user's names, each compiled once."""

    __slots__ = ("lookup", "named")

    def __init__(self, lookup: Lookup) -> None:
        self.lookup = lookup
        self.named: dict[str, _Check] = {}

    def of(self, type_: Type) -> _Check:  # noqa: C901, PLR0912 - one line per kind of type
        """Return the check of a type."""
        match type_:
            case Primitive.ANY:
                return lambda _value, _run: None
            case Primitive():
                return _of_class(CLASSES[type_], type_)
            case ty.NamedType(name):
                return self.named.get(name) or self._named(name)
            case ty.VectorType(item):
                return _items(type_, VECTOR, self.of(item))
            case ty.ListType(item):
                return _items(type_, _LIST, self.of(item))
            case ty.SetType(item):
                return _items(type_, _SET, self.of(item))
            case ty.TupleType(items):
                return _tuple(type_, [self.of(item) for item in items])
            case ty.MapType():
                rest = None if type_.rest is None else self.of(type_.rest)
                return _map(type_, [self.of(e.type) for e in type_.entries], rest)
            case ty.MapOfType(key, value):
                return _map_of(type_, self.of(key), self.of(value))
            case ty.FunctionType():
                return lambda value, _run: None if is_function(value) else mismatch(show_type(type_), type_name(value))
            case ty.UnionType(members):
                return _union(type_, [self.of(member) for member in members])
            case ty.OptionalType(inner):
                return _optional(type_, self.of(inner))
            case ty.AndType(members, predicates):
                return _and([self.of(member) for member in members] + [_predicate(p) for p in predicates])
            case ty.EnumType(values):
                return _one_of(type_, values)
            case ty.LiteralType(value):
                return _one_of(type_, (value,))
            case ty.ArrayType(item, shape):
                return _array(type_, shape or (None,), self.of(item))
            case ty.ResourceType():
                return _of_class(frozenset({Resource}), type_)
            case ty.StreamType():
                return _stream(type_)
            case _ as never:
                raise forgotten(never)

    def _named(self, name: str) -> _Check:
        """Resolve a name when it is needed: definitions may follow, refer to themselves and be replaced."""
        known: Type | None = None
        check: _Check | None = None

        def verdict(value: Any, run: _Run) -> Failure | None:
            nonlocal known, check
            definition = self.lookup(name)
            if check is None or definition is not known:
                found = resolve(name, self.lookup)
                if found is None:
                    return mismatch(name, f"{type_name(value)} ({name} is not a known type)")
                check, known = self.of(found), definition
            place = (id(check), id(value))
            if place in run.verdicts:
                return run.verdicts[place]
            if run.depth >= MAX_DEPTH:
                return TOO_DEEP
            run.depth += 1
            failure = check(value, run)
            run.depth -= 1
            if failure is not None and failure.is_of_whole and failure is not TOO_DEEP:
                failure = mismatch(name, type_name(value))
            run.verdicts[place] = failure
            return failure

        self.named[name] = verdict
        return verdict


def _of_class(classes: frozenset[type], type_: Type) -> _Check:
    """Fit by the value's class alone."""
    shown = show_type(type_)
    return lambda value, _run: None if value.__class__ in classes else mismatch(shown, type_name(value))


def _items(type_: Type, classes: frozenset[type], item: _Check) -> _Check:
    """Every item of a collection of these classes fits."""
    shown = show_type(type_)

    def check(value: Any, run: _Run) -> Failure | None:
        kind = value.__class__
        if kind not in classes:
            return mismatch(shown, type_name(value))
        charge(len(value))
        for place, each in enumerate(value):
            failure = item(each, run)
            if failure is not None:
                return failure.under(f"[{place}]")
        return None

    return check


def _tuple(type_: Type, items: list[_Check]) -> _Check:
    """A vector of exactly these items."""
    shown = show_type(type_)

    def check(value: Any, run: _Run) -> Failure | None:
        kind = value.__class__
        if kind not in VECTOR:
            return mismatch(shown, type_name(value))
        if len(value) != len(items):
            return wrong_shape(count_of(len(items)), str(len(value)))
        for place, item in enumerate(items):
            failure = item(value[place], run)
            if failure is not None:
                return failure.under(f"[{place}]")
        return None

    return check


def _map(type_: ty.MapType, entry_checks: list[_Check], rest: _Check | None) -> _Check:
    """A map whose entries fit; a string key stands in for a keyword entry of the same name."""
    shown = show_type(type_)
    pairs = zip(type_.entries, entry_checks, strict=True)
    entries = [(e.key, check, e.optional, step_of(e.key)) for e, check in pairs]
    named = Set.of([e.key for e in type_.entries])

    def check(value: Any, run: _Run) -> Failure | None:
        if value.__class__ is not Map:
            return mismatch(shown, type_name(value))
        for key, fits, optional, step in entries:
            item = value.get(key, _ABSENT)
            if item is _ABSENT and key.__class__ is Keyword:
                item = value.get(key.name, _ABSENT)
            if item is _ABSENT:
                if optional:
                    continue
                return missing(key)
            failure = fits(item, run)
            if failure is not None:
                return failure.under(step)
        return None if rest is None else _check_rest(value, run, rest, named)

    return check


def _check_rest(value: Map, run: _Run, rest: _Check, named: Set) -> Failure | None:
    charge(len(value))
    for key, item in value.items():
        stands_in = key.__class__ is str and Keyword(key) in named and Keyword(key) not in value
        if key not in named and not stands_in:
            failure = rest(item, run)
            if failure is not None:
                return failure.under(step_of(key))
    return None


def _map_of(type_: Type, key_check: _Check, value_check: _Check) -> _Check:
    """A map all of whose keys and values fit."""
    shown = show_type(type_)

    def check(value: Any, run: _Run) -> Failure | None:
        if value.__class__ is not Map:
            return mismatch(shown, type_name(value))
        charge(len(value))
        for key, item in value.items():
            failure = key_check(key, run)
            if failure is not None:
                return failure.under(f"(key {brief(key)})")
            failure = value_check(item, run)
            if failure is not None:
                return failure.under(step_of(key))
        return None

    return check


def _union(type_: Type, members: list[_Check]) -> _Check:
    """Any member fits; the only member whose outside fits says what is wrong inside."""
    shown = show_type(type_)

    def check(value: Any, run: _Run) -> Failure | None:
        near: list[Failure] = []
        for member in members:
            failure = member(value, run)
            if failure is None:
                return None
            if not failure.is_of_whole:
                near.append(failure)
        return near[0] if len(near) == 1 else mismatch(shown, type_name(value))

    return check


def _optional(type_: Type, inner: _Check) -> _Check:
    """Nil or the inner type."""
    shown = show_type(type_)

    def check(value: Any, run: _Run) -> Failure | None:
        failure = None if value is None else inner(value, run)
        if failure is None or not failure.is_of_whole:
            return failure
        return mismatch(shown, type_name(value))

    return check


def _and(checks: list[_Check]) -> _Check:
    """All checks hold, in order."""

    def check(value: Any, run: _Run) -> Failure | None:
        for each in checks:
            failure = each(value, run)
            if failure is not None:
                return failure
        return None

    return check


def _stream(type_: ty.StreamType) -> _Check:
    """The handle of a stream whose host checks its items against these types, or against nothing where any will do."""
    shown = show_type(type_)
    wanted = [(_OF, type_.item), *([] if type_.takes is None else [(_TAKES, type_.takes)])]
    known = [
        (key, resolve(each.name, no_names) or each if isinstance(each, ty.NamedType) else each) for key, each in wanted
    ]
    texts = [(key, None if each is Primitive.ANY else show_type(each)) for key, each in known]

    def check(value: Any, _run: _Run) -> Failure | None:
        if value.__class__ is not Map or value.get(_STREAM).__class__ is not str:
            return mismatch(shown, type_name(value))
        for key, text in texts:
            found = value.get(key)
            if found.__class__ is not str:
                return missing(key)
            if text is not None and found != text:
                return mismatch(text, found).under(step_of(key))
        return None

    return check


def _predicate(predicate: ty.Predicate) -> _Check:
    """A refinement; a bad pattern or unknown name fails for every value."""
    shown = show_predicate(predicate)
    try:
        test = test_of(predicate)
    except (BadPattern, KeyError) as error:
        bad = Failure(
            f"Invalid regex pattern: {error}" if isinstance(error, BadPattern) else f"Unknown predicate {shown}"
        )
        return lambda _value, _run: bad
    return lambda value, _run: None if test(value) else predicate_failed(shown, value)


def _one_of(type_: Type, values: tuple[Any, ...]) -> _Check:
    """One of these literals, by strict equality."""
    shown = show_type(type_)

    def check(value: Any, _run: _Run) -> Failure | None:
        if any(equal(value, each) for each in values):
            return None
        return mismatch(shown, named_brief(value))

    return check


def _array(type_: Type, shape: tuple[int | None, ...], item: _Check) -> _Check:
    """Nested vectors of these lengths."""
    length = shape[0]
    inner = item if len(shape) == 1 else _array(type_, shape[1:], item)
    items = _items(type_, VECTOR, inner)

    def check(value: Any, run: _Run) -> Failure | None:
        kind = value.__class__
        if length is not None and kind in VECTOR and len(value) != length:
            return wrong_shape(count_of(length), str(len(value)))
        return items(value, run)

    return check
