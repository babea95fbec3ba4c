"""Artifacts as bytes and back: what a cache keeps of a compiled program.

The code object goes through `marshal`, everything else as plain data: records are rows of a class's number and its
fields, and only the classes named here are ever made. Neither `marshal` nor this module is safe against bytes that
somebody else wrote: whoever calls `load_artifact` has proved before that they are its own.
"""

from __future__ import annotations

import marshal
import sys
from _collections_abc import Sequence  # which Python has loaded already

from rtfs_framework.lang import records
from rtfs_framework.lang.annotations import Any, Callable
from rtfs_framework.lang.codegen.artifact import Artifact, SpanInfo
from rtfs_framework.lang.maps import Map, Set
from rtfs_framework.lang.values import Keyword
from rtfs_framework.lang.vectors import GrownVector, List

_FLOWS = "rtfs_framework.lang.flows.model"
_VALUES, _SOURCE = "rtfs_framework.lang.values", "rtfs_framework.lang.source"
_FACTS, _TYPES = "rtfs_framework.lang.signature", "rtfs_framework.lang.types.model"


def _named(module: str, names: str) -> tuple[tuple[str, str], ...]:
    return tuple((module, name) for name in names.split())


# By name, for few programs have values of all of them.
_RECORDS: tuple[tuple[str, str], ...] = (
    *_named(_VALUES, "Symbol Timestamp Uuid Resource ErrorValue"),
    *_named(_SOURCE, "Source Span Place"),
    ("rtfs_framework.lang.diagnostics", "Diagnostic"),
    *_named(_FACTS, "DelegationHint Parameter FunctionSignature CallSite Reason FunctionEffect Memo"),
    *_named(_TYPES, "NamedType VectorType ListType SetType TupleType MapEntry MapType MapOfType FunctionType"),
    *_named(_FLOWS, "Flows Input Parameter ReplyOf Context"),
    *_named(_TYPES, "UnionType OptionalType Predicate AndType EnumType LiteralType ArrayType ResourceType"),
    *_named(_TYPES, "StreamType"),
)
_SPAN = _RECORDS.index((_SOURCE, "Span"))
_ENUMS = (*_named(_TYPES, "Primitive"), *_named(_FACTS, "HintKind SiteKind Purity"))
_PLAIN = frozenset({type(None), bool, int, float, str})
_TUPLE, _DICT, _LIST, _MAP, _SET, _KEYWORD, _ENUM, _RECORD = range(8)
"""The first item of a row: what it is. Rows of records go on from `_RECORD`."""


def _fields(cls: type[Any]) -> tuple[str, ...]:
    return tuple(field.name for field in records.fields_of(cls) if field.init)


def _class(place: tuple[str, str]) -> Any:
    module, name = place
    __import__(module)
    return getattr(sys.modules[module], name)


def _makes(number: int) -> Callable[..., Any]:
    """Return what makes records of a class out of the values of its fields."""
    made = _makers.get(number)
    if made is None:
        cls = _class(_RECORDS[number])
        names = _fields(cls)
        by_name = any(field.kw_only for field in records.fields_of(cls))
        made = _makers[number] = (lambda *parts: cls(**dict(zip(names, parts, strict=True)))) if by_name else cls
    return made


_makers: dict[int, Callable[..., Any]] = {}
_PARTS = tuple(name for name in _fields(Artifact) if name not in {"code", "spans"})


def dump_artifact(artifact: Artifact) -> bytes:
    """Return an artifact as bytes.

    Raises:
        TypeError: it holds something that is not plain data (a new kind of constant, which `_RECORDS` must name).
    """
    row = _Writer().row
    parts = tuple(row(getattr(artifact, name)) for name in _PARTS)
    spans = [
        (info.span.start, info.span.end, info.span.source, info.callee, info.display, info.args, info.inlined)
        for info in artifact.spans
    ]
    return marshal.dumps((artifact.code, spans, parts))


def load_artifact(data: bytes) -> Artifact:
    """Return the artifact of bytes that `dump_artifact` made; nobody else's, for the code in them will be run."""
    code, spans, parts = marshal.loads(data)  # noqa: S302 - the caller has verified the bytes
    made = object.__new__(_Stored)
    for name, value in (("code", code), ("spans", _Spans(spans)), ("_reader", _Reader())):
        object.__setattr__(made, name, value)
    object.__setattr__(made, "_rows", dict(zip(_PARTS, parts, strict=True)))
    return made


class _Stored(Artifact):
    """An artifact whose parts are made when they are looked at: a program that does not fail looks at few."""

    __slots__ = ("_reader", "_rows")
    _reader: _Reader
    _rows: dict[str, Any]

    def __getattr__(self, name: str) -> Any:
        """Return a part that has not been made yet."""
        if name not in _PARTS:
            raise AttributeError(name)
        made = self._reader.value(self._rows[name])
        object.__setattr__(self, name, made)
        return made


class _Spans(Sequence[SpanInfo]):
    """Rows that become records when looked at: a program that does not fail looks at none."""

    __slots__ = ("_rows",)

    def __init__(self, rows: list[tuple[Any, ...]]) -> None:
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return tuple(map(_span_info, self._rows[index]))
        return _span_info(self._rows[index])


def _span_info(row: tuple[Any, ...]) -> SpanInfo:
    start, end, source, *rest = row
    return SpanInfo(_makes(_SPAN)(start, end, source), *rest)


class _Writer:
    """Values to rows. One object gives one row, so that what a program shares is stored once."""

    def __init__(self) -> None:
        self._rows: dict[int, tuple[Any, ...]] = {}
        self._kept: list[Any] = []

    def row(self, value: Any) -> Any:
        """Return the row of a value; plain values stand for themselves."""
        if value.__class__ in _PLAIN:
            return value
        known = self._rows.get(id(value))
        if known is None:
            known = self._rows[id(value)] = self._made(value)
            self._kept.append(value)  # or a later value could have its id
        return known

    def _made(self, value: Any) -> tuple[Any, ...]:
        kind, row = value.__class__, self.row
        if kind is tuple or kind is GrownVector:
            return (_TUPLE, *map(row, value))
        if kind is dict:
            return (_DICT, *(row(part) for entry in value.items() for part in entry))
        if kind is Map:
            return (_MAP, *(row(part) for entry in value.items() for part in entry))
        if kind is List or kind is Set:
            return (_LIST if kind is List else _SET, *map(row, value))
        if kind is Keyword:
            return (_KEYWORD, value.name)
        place = (kind.__module__, kind.__name__)
        if place in _RECORDS:
            return (_RECORD + _RECORDS.index(place), *(row(getattr(value, name)) for name in _fields(kind)))
        if place in _ENUMS:
            return (_ENUM, _ENUMS.index(place), value.value)
        message = f"{kind.__name__} has no place in a stored artifact"
        raise TypeError(message)


class _Reader:
    """Rows to values: the same row gives the same object."""

    def __init__(self) -> None:
        self._made: dict[int, Any] = {}

    def value(self, row: Any) -> Any:
        """Return the value of a row."""
        if row.__class__ is not tuple:
            return row
        made = self._made.get(id(row))
        if made is None:
            tag, *parts = row
            made = self._made[id(row)] = (
                _makes(tag - _RECORD)(*map(self.value, parts)) if tag >= _RECORD else _MAKE[tag](self.value, parts)
            )
        return made


def _pairs(value: Callable[[Any], Any], parts: list[Any]) -> list[tuple[Any, Any]]:
    made = list(map(value, parts))
    return list(zip(made[::2], made[1::2], strict=True))


_MAKE: tuple[Callable[[Callable[[Any], Any], list[Any]], Any], ...] = (
    lambda value, parts: tuple(map(value, parts)),
    lambda value, parts: dict(_pairs(value, parts)),
    lambda value, parts: List(map(value, parts)),
    lambda value, parts: Map.of(_pairs(value, parts)),
    lambda value, parts: Set.of(map(value, parts)),
    lambda _, parts: Keyword(parts[0]),
    lambda _, parts: _class(_ENUMS[parts[0]])(parts[1]),
)
