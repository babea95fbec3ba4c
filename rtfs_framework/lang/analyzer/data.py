"""Quoted data: forms as values (symbols, lists, vectors, maps), and values back as forms (what a macro returns)."""

from __future__ import annotations

from rtfs_framework.lang import forms as fm
from rtfs_framework.lang.annotations import Any, Iterable
from rtfs_framework.lang.errors import LimitError
from rtfs_framework.lang.forms import Form
from rtfs_framework.lang.maps import Map, Set
from rtfs_framework.lang.never import forgotten
from rtfs_framework.lang.source import Span
from rtfs_framework.lang.values import Symbol
from rtfs_framework.lang.vectors import GrownVector, List

_REFERENCE, META, HINT, SHORTHAND = "#reference", "#meta", "#hint", "#()"
MOST_PARTS = 200_000
"""Parts of one expansion: more cannot be meant, and shared data can stand for any number."""


class Origins:
    """Which forms the parts of a macro call's arguments came from, told apart by the identity of their data."""

    def __init__(self) -> None:
        self.parts = 0
        # The data is kept beside its form, so that its identity stays its own.
        self._known: dict[int, tuple[Any, Form, int]] = {}

    def note(self, value: Any, form: Form, size: int) -> None:
        """Enter a form of `size` parts under its data, if that can be no other's."""
        if _is_single(value):
            self._known[id(value)] = (value, form, size)

    def of(self, value: Any) -> tuple[Form | None, int]:
        """Return the form that a value came from, and its size."""
        _, form, size = self._known.get(id(value), (None, None, 1))
        return form, size


def _is_single(value: Any) -> bool:
    """Tell whether a value's object is its own. Python and we share small integers, keywords and what is empty."""
    kind = value.__class__
    if kind in (List, tuple, Map, Set):
        return bool(value)
    if kind is str:
        return len(value) > 1
    return kind in (Symbol, float) or (kind is int and not -6 < value < 257)


def to_data(form: Form, origins: Origins | None = None) -> Any:
    """Return the value of a quoted form.

    Reader shorthands become lists whose heads no program can write, so that a macro hands them back as they were.
    `origins` notes which form every part came from.
    """
    if origins is None:
        return _convert(form, None)
    before = origins.parts
    value = _convert(form, origins)
    origins.parts += 1
    origins.note(value, form, origins.parts - before)
    return value


def _convert(form: Form, origins: Origins | None) -> Any:
    match form:
        case fm.Atom(value=value):
            return value
        case fm.Name(name=name):
            return Symbol(name)
        case fm.ListForm(items=items):
            return List(to_data(item, origins) for item in items)
        case fm.VectorForm(items=items):
            return tuple(to_data(item, origins) for item in items)
        case fm.MapForm(pairs=pairs):
            return Map.of((to_data(k, origins), to_data(v, origins)) for k, v in pairs)
        case fm.SetForm(items=items):
            return Set.of(to_data(item, origins) for item in items)
        case fm.Quoted(kind=kind, form=inner):
            return List((Symbol(kind), to_data(inner, origins)))
        case fm.Reference(name=name, plain=plain):
            return List((Symbol(_REFERENCE), name, plain))
        case fm.ShorthandFn(body=body):
            return List((Symbol(SHORTHAND), to_data(body, origins)))
        case fm.Meta(meta=meta, form=inner):
            return List((Symbol(META), to_data(meta, origins), to_data(inner, origins)))
        case fm.HintForm(keyword=keyword, id=model, form=inner):
            return List((Symbol(HINT), keyword, model, to_data(inner, origins)))
        case _ as never:
            raise forgotten(never)


def to_form(value: Any, span: Span, origins: Origins | None = None) -> Form:
    """Return the form that a value stands for; every part gets the span of the macro call.

    What came from the call unchanged is the call's own form, with its own span.

    Raises:
        LimitError: the value has more parts than a program may have: it was built by doubling.
    """
    return _Builder(span, origins or Origins()).form(value)


class _Builder:
    """Turns one value into a form, counting its parts."""

    def __init__(self, span: Span, origins: Origins) -> None:
        self.span = span
        self.origins = origins
        self.count = 0

    def form(self, value: Any) -> Form:
        """Return the form of a value."""
        own, size = self.origins.of(value)
        self.count += size
        if self.count > MOST_PARTS:
            raise LimitError("expansion", MOST_PARTS, f"an expansion of more than {MOST_PARTS} parts")
        if own is not None:
            return own
        span = self.span
        if value.__class__ is Symbol:
            return fm.Name(value.name, span)
        if value.__class__ is List:
            return self._marked(value) or fm.ListForm(self._all(value), span)
        if value.__class__ is tuple or value.__class__ is GrownVector:
            return fm.VectorForm(self._all(value), span)
        if value.__class__ is Map:
            return fm.MapForm(self._all(part for entry in value.items() for part in entry), span)
        if value.__class__ is Set:
            return fm.SetForm(self._all(value), span)
        return fm.Atom(value, span)

    def _all(self, values: Iterable[Any]) -> tuple[Form, ...]:
        return tuple([self.form(value) for value in values])

    def _marked(self, value: List) -> Form | None:
        """Return the reader shorthand that a list stands for, or None."""
        head = value[0].name if value and value[0].__class__ is Symbol else ""
        rest, span = value[1:], self.span
        if head in ("quasiquote", "unquote", "splice") and len(rest) == 1:
            return fm.Quoted(head, self.form(rest[0]), span)
        if head == SHORTHAND and len(rest) == 1:
            body = self.form(rest[0])
            return fm.ShorthandFn(body, span) if isinstance(body, fm.ListForm) else body
        if head == _REFERENCE:
            return fm.Reference(rest[0], rest[1], span)
        if head == META:
            return fm.Meta(self.form(rest[0]), self.form(rest[1]), span)
        if head == HINT:
            return fm.HintForm(rest[0], rest[1], None, self.form(rest[2]), span)
        return None
