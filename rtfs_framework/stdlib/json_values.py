"""What Python's decoder has made of a JSON text, as values: arrays as vectors, objects as maps.

In: lists and dicts, which are changed in place. Out: the value. Rows, objects much like each other in one array, are
looked at together, column by column: some rows tell which columns hold collections. A text has as many brackets as
collections, unless a string holds some; so counting tells mostly that none was left out, and else all rows are asked.
"""

from __future__ import annotations

from _operator import itemgetter
from itertools import chain, islice

from rtfs_framework.lang.annotations import Any, Iterable, Sequence
from rtfs_framework.lang.jsontext import MAX_DEPTH, TOO_DEEP, JsonError, load_to_walk
from rtfs_framework.lang.maps import Map
from rtfs_framework.lang.meter import meter, watched

_MANY = 8_192
"""Items of an array that are turned into values without a look at the limits."""
_ROWS = 16
"""Rows that are worth a look at their columns."""
_LONG = 1_024
"""Characters of a row, on average, from which on it is better looked at on its own."""
_SAMPLE = 8
"""Rows that tell which columns hold collections."""
_COLUMNS = 16
"""The most columns with collections: objects with more are looked at one by one, for they may have little in common."""
_COLLECTIONS = frozenset({list, dict})


def value_of(text: str, brackets: int | None = None) -> Any:
    """Return the value of a JSON text; `brackets` is how many `[` and `{` it has, if they were counted.

    Raises:
        JsonError: the text is refused.
    """
    data = load_to_walk(text)
    if type(data) is list and len(data) >= max(_ROWS, len(text) // _LONG):
        found = _Rows().vector(data, text.count("[") + text.count("{") if brackets is None else brackets)
        if found is not None:
            return found
        data = load_to_walk(text)
    return _vector(data, 1) if type(data) is list else _map(data, 1) if type(data) is dict else data


def _vector(items: list[Any], level: int) -> tuple[Any, ...]:
    if level > MAX_DEPTH:
        raise JsonError(TOO_DEEP)
    for item in items:
        if type(item) is dict or type(item) is list:
            break
    else:
        return tuple(items)
    level += 1
    return tuple(
        [
            _map(item, level) if type(item) is dict else _vector(item, level) if type(item) is list else item
            for item in (items if len(items) < _MANY else watched(items))
        ]
    )


def _map(members: dict[str, Any], level: int) -> Map:
    if level > MAX_DEPTH:
        raise JsonError(TOO_DEEP)
    for name, item in members.items():
        if type(item) is list:
            members[name] = _vector(item, level + 1)
        elif type(item) is dict:
            members[name] = _map(item, level + 1)
    made = Map()  # as `Map.wrap` does, but faster
    made._items = members
    return made


class _Rows:
    """The collections that were found in columns."""

    def __init__(self) -> None:
        self.maps: list[tuple[list[dict[str, Any]], int]] = []
        """What became maps, with their level."""
        self.vectors: list[list[list[Any]]] = []
        """Arrays that are held to have no collections in them."""
        self.count = 1

    def vector(self, rows: list[Any], brackets: int) -> tuple[Any, ...] | None:
        """Return the value of the array that a text is; None if arrays hold what they should not."""
        made: list[Any] = []
        for start in range(0, len(rows), _MANY):
            meter().look()
            made += self.column(rows[start : start + _MANY], 2)
        if self.count != brackets:
            if not all(map(_is_flat, self.vectors)):
                return None
            for found, level in self.maps:
                if not _is_flat(map(dict.values, found)):
                    for row in watched(found):
                        _map(row, level)
        return tuple(made)

    def column(self, column: list[Any], level: int) -> Sequence[Any]:
        """Return the values of what stands in one column."""
        kinds = {*map(type, column)}
        nested = kinds & _COLLECTIONS
        if not nested:
            return column
        if len(kinds) > 1:
            for kind in nested:
                places = [place for place, item in enumerate(column) if type(item) is kind]
                for place, item in zip(places, self.column([column[i] for i in places], level), strict=True):
                    column[place] = item
            return column
        if level > MAX_DEPTH:
            raise JsonError(TOO_DEEP)
        self.count += len(column)
        return self._maps(column, level) if dict in kinds else self._tuples(column, level + 1)

    def _maps(self, rows: list[dict[str, Any]], level: int) -> list[Map]:
        self.maps.append((rows, level))
        sample = chain.from_iterable(row.items() for row in rows[:_SAMPLE])
        names = dict.fromkeys(name for name, item in sample if type(item) in _COLLECTIONS)
        for name in names if len(names) <= _COLUMNS else ():
            try:
                having, column = rows, list(map(itemgetter(name), rows))
            except KeyError:
                having = [row for row in rows if name in row]
                column = [row[name] for row in having]
            for row, item in zip(having, self.column(column, level + 1), strict=True):
                row[name] = item
        made = []
        for row in rows:
            found = Map()  # as `Map.wrap` does, but faster
            found._items = row
            made.append(found)
        return made

    def _tuples(self, rows: list[list[Any]], level: int) -> list[tuple[Any, ...]]:
        if type(next((row[0] for row in rows if row), None)) not in _COLLECTIONS:
            self.vectors.append(rows)
            return list(map(tuple, rows))
        values = iter(self.column([*chain.from_iterable(rows)], level))
        return [tuple(islice(values, len(row))) for row in rows]


def _is_flat(collections: Iterable[Iterable[Any]]) -> bool:
    """Tell whether collections hold none that is still to be turned into a value."""
    return _COLLECTIONS.isdisjoint(map(type, chain.from_iterable(collections)))
