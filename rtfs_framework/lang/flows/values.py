"""Abstract values: what a value's sources are, part by part. Sets of sources and of functions are bits of integers.

A value's `mask` holds the sources of its own kind and size, and of every part that is not told of apart. `view` holds
the inputs that it may be, or be a part of: reading a constant key of one gives that column and no other. `fields` are
parts under known keys, `items` those under any other key or place. `functions` are the functions that it may be, or
(the lowest bits) data of some kind. Joins only ever grow, and parts nest a few levels deep, so every fixpoint ends.
"""

from __future__ import annotations

from rtfs_framework.lang.annotations import Any, Iterable, Iterator, Mapping
from rtfs_framework.lang.flows.model import SHAPE, Input, Parameter, Source

DATA, ROWS, MAP = 1, 2, 4
"""The bits of what is no function of the program or library: of anything, of what is surely no map, or surely one."""
ANY_DATA = DATA | ROWS | MAP
MOST_NESTED = 4
"""Levels of parts that are told apart; what lies deeper is one."""
MOST_VIEWS = 12
"""Inputs that one value may be whose columns are told apart."""
MOST_KEYS = 6
"""Keys on the way to a column; what lies below is one."""
_ITEM = "*"
"""The step from a sequence to its items; no source shows it."""

Key = tuple[str, Any]


class Value:
    """See the module; never changed once made."""

    __slots__ = ("_flat", "depth", "fields", "functions", "items", "mask", "view")

    def __init__(
        self,
        mask: int = 0,
        functions: int = DATA,
        view: int = 0,
        fields: Mapping[Key, Value] | None = None,
        items: Value | None = None,
    ) -> None:
        self.mask = mask
        self.functions = functions
        self.view = view
        self.fields: Mapping[Key, Value] = fields or {}
        self.items = items
        self._flat: tuple[int, int] | None = None
        self.depth: int = 1 + max([part.depth for part in self.parts()], default=-1)

    def parts(self) -> list[Value]:
        """Return what is directly inside."""
        return [*self.fields.values()] if self.items is None else [*self.fields.values(), self.items]

    @property
    def top(self) -> int:
        """The sources of what it is without its parts: whether it is true, its size."""
        return self.mask | self.view

    def flat(self) -> tuple[int, int]:
        """Return the sources of the value and all its parts, and the functions in it."""
        if self._flat is None:
            mask, functions = self.mask | self.view, self.functions
            for part in self.parts():
                inner = part.flat()
                mask, functions = mask | inner[0], functions | inner[1]
            self._flat = mask, functions
        return self._flat

    def tinted(self, mask: int) -> Value:
        """Return the value, its kind and size depending on further sources."""
        if self.mask | mask == self.mask:
            return self
        return Value(self.mask | mask, self.functions, self.view, self.fields, self.items)


BOTTOM = Value(0, 0)
"""What nothing has given yet."""
PLAIN = Value()
"""A constant."""


def bits(mask: int) -> Iterator[int]:
    """Yield the numbers of the bits that are set."""
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low


def _joined_fields(one: Mapping[Key, Value], other: Mapping[Key, Value]) -> Mapping[Key, Value]:
    if not other or one is other:
        return one
    if not one:
        return other
    made = dict(one)
    for key, part in other.items():
        made[key] = join(made[key], part) if key in made else part
    return one if len(made) == len(one) and all(made[key] is part for key, part in one.items()) else made


def join(one: Value, other: Value) -> Value:
    """Return what may be either; the first one itself where the second adds nothing."""
    if one is other or other is BOTTOM:
        return one
    if one is BOTTOM:
        return other
    mask, view, functions = one.mask | other.mask, one.view | other.view, one.functions | other.functions
    fields = _joined_fields(one.fields, other.fields)
    items = one.items if other.items is None else other.items if one.items is None else join(one.items, other.items)
    if view.bit_count() > MOST_VIEWS:
        mask |= view
    view &= ~mask  # what is there as a whole is not told apart again
    same = mask == one.mask and view == one.view and functions == one.functions
    if same and fields is one.fields and items is one.items:
        return one
    return bounded(Value(mask, functions, view, fields, items))


def lump(*values: Value) -> Value:
    """Return a value made of values in a way that nobody follows."""
    mask, functions = 0, DATA
    for value in values:
        inner = value.flat()
        mask, functions = mask | inner[0], functions | inner[1]
    return Value(mask, functions)


def bounded(value: Value, left: int = MOST_NESTED) -> Value:
    """Return a value with parts that are not too deep; deeper ones are no longer told apart."""
    if value.depth <= left:
        return value
    if left == 0:
        return lump(value)
    fields = {key: bounded(part, left - 1) for key, part in value.fields.items()}
    items = None if value.items is None else bounded(value.items, left - 1)
    return Value(value.mask, value.functions, value.view, fields, items)


def changed(values: Iterable[Value]) -> int:
    """Return the sources that are in values in another way than as they, or a part of them, was given."""
    mask, todo = 0, list(values)
    while todo:
        value = todo.pop()
        mask |= value.mask
        todo += value.parts()
    return mask


class Sources:
    """The numbers of sources. Inputs are sources whose columns can be told apart: a view is a mask of them."""

    def __init__(self) -> None:
        self.all: list[Source] = []
        self._numbers: dict[Any, int] = {}
        self._ways: dict[int, tuple[str, str, tuple[str, ...]]] = {}
        """Inputs by number: function, parameter, and the way from it, items included."""

    def _number(self, key: Any, source: Source) -> int:
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = len(self.all)
            self.all.append(source)
        return number

    def bit(self, source: Source) -> int:
        """Return the mask of one source."""
        return 1 << self._number(source, source)

    def _input(self, function: str, parameter: str, way: tuple[str, ...]) -> int:
        keys = tuple(step for step in way if step != _ITEM)
        source = Input(keys, function, parameter) if keys else Parameter(function, parameter)
        number = self._number((function, parameter, way), source)
        self._ways[number] = function, parameter, way
        return 1 << number

    def parameter(self, function: str, name: str) -> Value:
        """Return what the host may call a function with."""
        return Value(view=self._input(function, name, ()))

    def shape(self, value: Value) -> int:
        """Return the sources of a value's kind and size."""
        found = value.mask
        for number in bits(value.view):
            function, parameter, way = self._ways[number]
            found |= self.bit(Input((*(step for step in way if step != _ITEM), SHAPE), function, parameter))
        return found

    def under(self, view: int, key: str) -> tuple[int, int]:
        """Return the view of what inputs have under a key, and the mask of those whose columns are not told apart."""
        made = mask = 0
        for number in bits(view):
            function, parameter, way = self._ways[number]
            if len(way) >= MOST_KEYS or key in (_ITEM, SHAPE):
                mask |= 1 << number
            else:
                made |= self._input(function, parameter, (*way, key))
        return made, mask

    def item(self, view: int) -> tuple[int, int]:
        """Return the same of the items of inputs. Those of an item may be a map's entries: they are not told apart."""
        made = mask = 0
        for number in bits(view):
            function, parameter, way = self._ways[number]
            if len(way) >= MOST_KEYS or way[-1:] == (_ITEM,):
                mask |= 1 << number
            else:
                made |= self._input(function, parameter, (*way, _ITEM))
        return made, mask

    def items(self, mask: int) -> int:
        """Return those of some sources that are items of others: of a text, that is one letter."""
        found = 0
        for number in bits(mask):
            if number in self._ways and self._ways[number][2][-1:] == (_ITEM,):
                found |= 1 << number
        return found

    # -- parts of values -----------------------------------------------------------------------------------------

    def read(self, value: Value, key: Key) -> Value:
        """Return what a value has under a constant key."""
        view, mask = self.under(value.view, str(key[1]))
        found = Value(value.mask | mask, view=view) if key[0] in ("keyword", "text") else lump(value)
        if key in value.fields:
            found = join(found, value.fields[key])
        return found if value.items is None else join(found, value.items)

    def item_of(self, value: Value, place: int | None = None) -> Value:
        """Return an item of a sequence, at a place if it is known; those of a map are its entries."""
        view, mask = self.item(value.view)
        found = Value(value.mask | mask, view=view)
        for key, part in value.fields.items():
            if key[0] != "place":
                found = join(found, lump(part))
            elif place is None or key[1] == place:
                found = join(found, part)
        return found if value.items is None else join(found, value.items)

    def sequence(self, value: Value) -> Value:
        """Return a sequence of a value's items, wherever they then stand."""
        items = value.items
        fields: dict[Key, Value] = {}
        for key, part in value.fields.items():
            if key[0] == "place":
                items = part if items is None else join(items, part)
            else:
                fields[key] = part
        return Value(value.mask, value.functions, value.view, fields, items)
