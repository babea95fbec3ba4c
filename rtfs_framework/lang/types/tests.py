"""Tests of types as Python code, for types that many values are tested against: closures would take twice the time.

In: a type. Out: a function that is true only of values that fit. Where it is false the type's checker decides and says
what is wrong: keys that stand in for others, for one, are left to it. Walks are charged as the checker's are.
"""

from __future__ import annotations

import re

from rtfs_framework.lang.annotations import Any, Callable
from rtfs_framework.lang.maps import Map, Set, is_plain
from rtfs_framework.lang.meter import SMALL, charge
from rtfs_framework.lang.pattern import BadPattern
from rtfs_framework.lang.types import model as ty
from rtfs_framework.lang.types.check import CLASSES, failure_finder
from rtfs_framework.lang.types.model import Primitive, Type
from rtfs_framework.lang.types.names import Lookup, resolve
from rtfs_framework.lang.types.predicates import test_of
from rtfs_framework.lang.types.subtypes import is_recursive
from rtfs_framework.lang.values import Keyword, Resource
from rtfs_framework.lang.vectors import GrownVector, List

Test = Callable[[Any], bool]

_VECTOR = (tuple, GrownVector)
_OF_ITEMS: dict[Any, tuple[type, ...]] = {
    ty.VectorType: _VECTOR, ty.ListType: (List, *_VECTOR), ty.SetType: (Set,),
}  # fmt: skip
_ITEM = "each"
_FEW = 4
"""Keywords that are compared one by one."""


def compiled_test(type_: Type, lookup: Lookup) -> Test | None:
    """Return a fast test of a type whose names stand for what they stand for now; None when it would gain nothing."""
    if is_recursive(type_, lookup):  # their values may be nested too deeply
        return None
    writing = _Writing(lookup)
    writing.function("test", "v", [f"return {writing.test(type_, 'v')}"])
    exec(compile("\n".join(writing.lines), "<rtfs type>", "exec"), writing.names)  # noqa: S102 - written here
    made: Test = writing.names["test"]
    return made


class _Writing:
    """The functions of one type, as lines of Python, and the values that they name."""

    def __init__(self, lookup: Lookup) -> None:
        self.lookup = lookup
        self.lines: list[str] = []
        self.names: dict[str, Any] = {"charge": charge, "Map": Map}
        self._named: dict[str, str] = {}
        self._in_place: set[str] = set()
        """Names whose test stands in a loop: once, because their tests may hold one another's many times over."""
        self._count = 0
        self._others = 0
        """How many unions the type at hand is a member of: where it does not fit, another may."""

    def name(self, *values: Any) -> str:
        """Return a new name; of a value, if one is given."""
        self._count += 1
        made = f"n{self._count}"
        self.names.update((made, value) for value in values)
        return made

    def function(self, name: str, parameter: str, body: list[str]) -> str:
        """Write a function; a key that a map has not is a value that does not fit."""
        tried = ["try:", *(f"    {line}" for line in body), "except KeyError: return False"]
        self.lines += [f"def {name}({parameter}):", *(f"    {line}" for line in tried)]
        return name

    def test(self, type_: Type, part: str) -> str:  # noqa: C901 - one case per kind of type
        """Return an expression that is true only if what another gives, which costs little, fits."""
        match type_:
            case Primitive.ANY:
                return "True"
            case Primitive():
                return self._of_class(part, tuple(CLASSES[type_]))
            case ty.ResourceType():
                return self._of_class(part, (Resource,))
            case ty.NamedType(name):
                return self._of_name(name, part)
            case ty.OptionalType(inner):
                return self._held(part, lambda held: f"({held} is None or {self.test(inner, held)})")
            case ty.UnionType(members):
                return self._held(part, lambda held: self._any_of(members, held))
            case ty.AndType():
                return self._held(part, lambda held: self._all_of(type_, held))
            case ty.EnumType(values):
                return self._held(part, lambda held: self._one_of(type_, values, held))
            case ty.LiteralType(value):
                return self._held(part, lambda held: self._one_of(type_, (value,), held))
            case ty.VectorType(item) | ty.ListType(item) | ty.SetType(item):
                return f"{self._walk(_OF_ITEMS[type(type_)], item)}({part})"
            case ty.TupleType(items):
                return self._held(part, lambda held: self._tuple(items, held))
            case ty.MapType(entries, None) if all(is_plain(entry.key) for entry in entries):
                return self._held(part, lambda held: self._map(entries, held))
            case _:
                return f"({self.name(failure_finder(type_, self.lookup))}({part}) is None)"

    def _held(self, part: str, test: Callable[[str], str]) -> str:
        """Return a test that reads its part once; parts that are names are read as they are."""
        if part.isidentifier():
            return f"({test(part)})"
        held = self.name()
        return f"((({held} := {part}) is {held}) and {test(held)})"

    def _of_class(self, part: str, classes: tuple[type, ...]) -> str:
        if len(classes) == 1 or (len(classes) == len(_VECTOR) and part.isidentifier()):
            return f"({' or '.join(f'{part}.__class__ is {self.name(each)}' for each in classes)})"
        return f"{part}.__class__ in {self.name(frozenset(classes))}"

    def _of_name(self, name: str, part: str) -> str:
        """A name is tested by a function of its own, written once; a primitive's, and that of all items, in place."""
        found = resolve(name, self.lookup)
        if found is None:
            return "False"
        if isinstance(found, Primitive) or (part == _ITEM and name not in self._in_place):
            self._in_place.add(name)
            return self.test(found, part)
        if name not in self._named:
            body = f"return {self.test(found, 'v')}"
            self._named[name] = self.function(self.name(), "v", [body])
        return f"{self._named[name]}({part})"

    def _any_of(self, members: tuple[Type, ...], part: str) -> str:
        self._others += 1
        tests = [self.test(each, part) for each in members]
        self._others -= 1
        return f"({' or '.join(tests)})"

    def _all_of(self, type_: ty.AndType, part: str) -> str:
        try:
            tests = [f"{self.name(test_of(each))}({part})" for each in type_.predicates]
        except (BadPattern, KeyError):
            return "False"
        return " and ".join([*(self.test(each, part) for each in type_.members), *tests])

    def _one_of(self, type_: Type, values: tuple[Any, ...], part: str) -> str:
        kinds = {value.__class__ for value in values}
        if kinds == {Keyword} and len(values) <= _FEW:  # of one name there is one
            return " or ".join(f"{part} is {self.name(value)}" for value in values)
        if kinds in ({Keyword}, {str}):
            return f"{part}.__class__ is {self.name(*kinds)} and {part} in {self.name(frozenset(values))}"
        return f"{self.name(failure_finder(type_, self.lookup))}({part}) is None"

    def _walk(self, classes: tuple[type, ...], item: Type) -> str:
        of_item = self.test(item, _ITEM)
        loop = [] if of_item == "True" else [f"for {_ITEM} in v:", f"    if not ({of_item}): return False"]
        size = [f"if len(v) >= {SMALL}: charge(len(v))"]
        wrong = f"if not {self._of_class('v', classes)}: return False"
        return self.function(self.name(), "v", [wrong, *size, *loop, "return True"])

    def _tuple(self, items: tuple[Type, ...], part: str) -> str:
        parts = [f"({self.test(item, f'{part}[{place}]')})" for place, item in enumerate(items)]
        return " and ".join([self._of_class(part, _VECTOR), f"len({part}) == {len(items)}", *parts])

    def _map(self, entries: tuple[ty.MapEntry, ...], part: str) -> str:
        """Entries are looked up in what a map holds them in, which is put into a name where it is read first."""
        found = self.name()
        tests = " and ".join(f"({self._entry(entry, found)})" for entry in entries)
        named = f"({found} := {part}._items)"
        if entries and not entries[0].optional:
            tests = re.sub(rf"\b{found}\b", named, tests, count=1)
        else:
            tests = f"{named} is {found} and {tests}" if entries else "True"
        return f"{part}.__class__ is Map and {tests}"

    def _entry(self, entry: ty.MapEntry, found: str) -> str:
        key = self.name(entry.key)
        if entry.optional:
            other = f"{entry.key.name!r} not in {found}" if entry.key.__class__ is Keyword else "True"
            return f"{self.test(entry.type, f'{found}[{key}]')} if {key} in {found} else {other}"
        if failure_finder(entry.type, self.lookup)(None) is None:
            return f"{key} in {found} and {self.test(entry.type, f'{found}[{key}]')}"
        return self.test(entry.type, f"{found}.get({key})" if self._others else f"{found}[{key}]")
