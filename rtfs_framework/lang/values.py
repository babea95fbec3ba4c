"""RTFS values as Python values. All are immutable.

nil, booleans, integers, floats and strings are Python's own; a vector is a `tuple` or a `GrownVector`; functions are
Python callables. The rest is defined here. Python would equate 1, 1.0 and True; RTFS does not: use `equal` and the
keys of `Map`, never `==` on RTFS values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any, ClassVar
from weakref import KeyedRef, _remove_dead_weakref  # type: ignore[attr-defined]

from rtfs_framework.lang import records

Value = Any
"""Any RTFS value. (The union is recursive; mypy gains nothing from spelling it out.)"""


class Keyword:
    """An interned name such as `:a/b`; two keywords of one name are the same object, whichever thread made it.

    (A `WeakValueDictionary` looks first and enters later: two threads would make two. Entering is one step here, and
    so is taking out what is dead.)
    """

    __slots__ = ("__weakref__", "name")
    _interned: ClassVar[dict[str, KeyedRef[str, Keyword]]] = {}
    name: str

    def __new__(cls, name: str) -> Keyword:  # noqa: PYI034 - final in all but name; Self would need a cast
        """Return the keyword of a name, always the same object."""
        known = cls._interned.get(name)
        found = None if known is None else known()
        if found is None:
            made = object.__new__(cls)
            object.__setattr__(made, "name", name)
            own = KeyedRef(made, cls._forget, name)
            while found is None:
                found = cls._interned.setdefault(name, own)()
                if found is None:
                    _remove_dead_weakref(cls._interned, name)
        return found

    @classmethod
    def _forget(
        cls,
        dead: KeyedRef[str, Keyword],
        # Bound here: when Python ends, the module's own names may be gone before the last keyword is.
        remove: Callable[[dict[str, KeyedRef[str, Keyword]], str], object] = _remove_dead_weakref,
    ) -> None:
        remove(cls._interned, dead.key)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(name)

    def __reduce__(self) -> tuple[type[Keyword], tuple[str]]:
        return Keyword, (self.name,)

    def __repr__(self) -> str:
        return f":{self.name}"


@records.frozen()
class Symbol:
    """A name as data (quoted)."""

    name: str


class List(tuple[Any, ...]):
    """A list: quoted data and macro forms. A tuple of its own type, so it never equals a vector."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"List{tuple(self)!r}"


class GrownVector(Sequence[Any]):
    """A vector made by `conj` or `rest`: a view of the items `[start, start + n)` of a shared buffer.

    Appending to the newest version extends the buffer in place (amortised O(1)), appending to an older one copies;
    `rest` moves the start. Versions never see each other's items, because a view never looks outside its own range.
    """

    __slots__ = ("_buffer", "_n", "_start")

    def __init__(self, buffer: list[Any], n: int, start: int = 0) -> None:
        self._buffer = buffer
        self._n = n
        self._start = start

    def conj(self, item: Any) -> GrownVector:
        """Return this vector with one item more."""
        buffer, start = self._buffer, self._start
        end = start + self._n
        if len(buffer) != end:
            _copied(self._n)
            buffer, start = buffer[start:end], 0
            buffer.append(item)
        else:
            buffer.append(item)
            if buffer[end] is not item:  # another thread has extended this very version first
                buffer, start = [*buffer[start:end], item], 0
        if self._n & _LOOK == _LOOK:
            _grown(self._n + 1)
        return GrownVector(buffer, self._n + 1, start)

    def rest(self) -> GrownVector:
        """Return this vector without its first item; there must be one."""
        return GrownVector(self._buffer, self._n - 1, self._start + 1)

    def pop(self) -> Vector:
        """Return this vector without its last item; there must be one. A short one is a tuple again."""
        buffer, n, start = self._buffer, self._n - 1, self._start
        return GrownVector(buffer, n, start) if n >= GROW_AT else tuple(buffer[start : start + n])

    def __len__(self) -> int:
        return self._n

    def __getitem__(self, index: Any) -> Any:
        if index.__class__ is int and 0 <= index < self._n:
            return self._buffer[self._start + index]
        if isinstance(index, slice):
            start, stop, step = index.indices(self._n)
            if step == 1:
                return tuple(self._buffer[self._start + start : self._start + max(start, stop)])
            return tuple(self._buffer[self._start + i] for i in range(start, stop, step))
        if not -self._n <= index < self._n:
            raise IndexError(index)
        return self._buffer[self._start + (index if index >= 0 else self._n + index)]

    def __iter__(self) -> Iterator[Any]:
        start, end = self._start, self._start + self._n
        return iter(self._buffer[start:end]) if start else islice(self._buffer, end)  # the buffer may grow meanwhile

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, GrownVector | tuple) and tuple(self) == tuple(other)

    def __repr__(self) -> str:
        return f"GrownVector({list(self)!r})"


@records.frozen()
class Timestamp:
    """A timestamp literal; `text` is kept as written."""

    text: str


@records.frozen()
class Uuid:
    """A UUID literal; `text` is kept as written."""

    text: str


@records.frozen()
class Resource:
    """A `resource://` handle."""

    text: str


@records.frozen(eq=False)
class ErrorValue:
    """An error as a value. `kind` is one of LANGUAGE.md 11.1; errors are equal when kind and message are."""

    kind: str
    message: str
    data: Any = None
    span: str | None = None
    stack: tuple[str, ...] = ()
    cause: ErrorValue | None = None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ErrorValue) and (self.kind, self.message) == (other.kind, other.message)

    def __hash__(self) -> int:
        return hash((self.kind, self.message))


@records.frozen(eq=False)
class Reduced:
    """What a function gives to end the `reduce` that calls it: its value is the result. Equal to itself alone."""

    value: Any


_LOOK = 0x3FF
"""A vector that grows looks at its bound every 1,024 items, as maps do."""

Function = Callable[..., Any]
Vector = tuple[Any, ...] | GrownVector

GROW_AT = 32
"""Vectors shorter than this stay tuples when they grow: copying them is cheaper than a view."""


def is_vector(value: object) -> bool:
    """Tell whether a value is a vector (a tuple that is not a List, or a GrownVector)."""
    return value.__class__ is tuple or value.__class__ is GrownVector


def is_function(value: object) -> bool:
    """Tell whether a value is a function value (keywords, maps and vectors are callable but no functions)."""
    return callable(value) and not isinstance(value, Keyword | type)


def conj(vector: Vector, item: Any) -> Vector:
    """Return the vector with one item more; building n items one by one is linear in n."""
    if vector.__class__ is GrownVector:
        return vector.conj(item)
    if len(vector) < GROW_AT:
        return (*vector, item)
    _copied(len(vector))
    buffer = [*vector, item]
    return GrownVector(buffer, len(buffer))


_TYPE_NAMES: dict[type, str] = {
    type(None): "nil",
    bool: "boolean",
    int: "integer",
    float: "float",
    str: "string",
    Keyword: "keyword",
    Symbol: "symbol",
    tuple: "vector",
    GrownVector: "vector",
    List: "list",
    ErrorValue: "error",
    Timestamp: "timestamp",
    Uuid: "uuid",
    Resource: "resource-handle",
    Reduced: "reduced",
}


def register_type_name(cls: type, name: str) -> None:
    """Name a further value class (maps and sets, which have modules of their own)."""
    _TYPE_NAMES[cls] = name


def rest(vector: Vector) -> Vector:
    """Return the vector without its first item, in O(1) amortised for long ones; an empty one stays empty."""
    if vector.__class__ is GrownVector:
        return vector.rest() if vector else vector
    if len(vector) < GROW_AT:
        return vector[1:]
    _copied(len(vector))
    return GrownVector(list(vector), len(vector) - 1, 1)


def _grown(count: int) -> None:
    from rtfs_framework.lang.meter import fits

    fits("conj", count)


def _copied(count: int) -> None:
    from rtfs_framework.lang.meter import charge  # it raises errors, which hold values

    charge(count)


def type_name(value: object) -> str:
    """Return the RTFS name of a value's type, as `(type-name x)` gives it."""
    return _TYPE_NAMES.get(value.__class__) or ("function" if callable(value) else value.__class__.__name__)
