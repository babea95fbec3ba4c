"""Quoted data: forms as values (symbols, lists, vectors, maps), and values back as forms (what a macro returns)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import assert_never

from rtfs_framework.lang.errors import LimitError
from rtfs_framework.lang.forms import (
    Atom,
    Form,
    HintForm,
    ListForm,
    MapForm,
    Meta,
    Name,
    Quoted,
    Reference,
    SetForm,
    ShorthandFn,
    VectorForm,
)
from rtfs_framework.lang.maps import Map, Set
from rtfs_framework.lang.source import Span
from rtfs_framework.lang.values import GrownVector, List, Symbol

_REFERENCE, _META, _HINT = "#reference", "#meta", "#hint"
MOST_PARTS = 200_000
"""Parts of one expansion: more cannot be meant, and shared data can stand for any number."""

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rtfs_framework.lang.analyzer.analyze import Analyzer


def to_data(analyzer: Analyzer, form: Form) -> Any:
    """Return the value of a quoted form.

    Reader shorthands become lists whose heads no program can write, so that a macro hands them back as they were.
    """
    match form:
        case Atom(value=value):
            return value
        case Name(name=name):
            return Symbol(name)
        case ListForm(items=items):
            return List(to_data(analyzer, item) for item in items)
        case VectorForm(items=items):
            return tuple(to_data(analyzer, item) for item in items)
        case MapForm(pairs=pairs):
            return Map.of((to_data(analyzer, k), to_data(analyzer, v)) for k, v in pairs)
        case SetForm(items=items):
            return Set.of(to_data(analyzer, item) for item in items)
        case Quoted(kind=kind, form=inner):
            return List((Symbol(kind), to_data(analyzer, inner)))
        case Reference(name=name, plain=plain):
            return List((Symbol(_REFERENCE), name, plain))
        case ShorthandFn(body=body):
            return List((Symbol("#()"), to_data(analyzer, body)))
        case Meta(meta=meta, form=inner):
            return List((Symbol(_META), to_data(analyzer, meta), to_data(analyzer, inner)))
        case HintForm(keyword=keyword, id=model, form=inner):
            return List((Symbol(_HINT), keyword, model, to_data(analyzer, inner)))
        case _ as never:
            assert_never(never)


def to_form(value: Any, span: Span) -> Form:
    """Return the form that a value stands for; every part gets the span of the macro call.

    Raises:
        LimitError: the value has more parts than a program may have: it was built by doubling.
    """
    return _Builder(span).form(value)


class _Builder:
    """Turns one value into a form, counting its parts."""

    def __init__(self, span: Span) -> None:
        self.span = span
        self.count = 0

    def form(self, value: Any) -> Form:
        """Return the form of a value."""
        self.count += 1
        if self.count > MOST_PARTS:
            raise LimitError("expansion", MOST_PARTS, f"an expansion of more than {MOST_PARTS} parts")
        span = self.span
        if value.__class__ is Symbol:
            return Name(value.name, span)
        if value.__class__ is List:
            return self._marked(value) or ListForm(self._all(value), span)
        if value.__class__ is tuple or value.__class__ is GrownVector:
            return VectorForm(self._all(value), span)
        if value.__class__ is Map:
            return MapForm(self._all(part for entry in value.items() for part in entry), span)
        if value.__class__ is Set:
            return SetForm(self._all(value), span)
        return Atom(value, span)

    def _all(self, values: Iterable[Any]) -> tuple[Form, ...]:
        return tuple([self.form(value) for value in values])

    def _marked(self, value: List) -> Form | None:
        """Return the reader shorthand that a list stands for, or None."""
        head = value[0].name if value and value[0].__class__ is Symbol else ""
        rest, span = value[1:], self.span
        if head in ("quasiquote", "unquote", "splice") and len(rest) == 1:
            return Quoted(head, self.form(rest[0]), span)
        if head == "#()" and len(rest) == 1:
            body = self.form(rest[0])
            return ShorthandFn(body, span) if isinstance(body, ListForm) else body
        if head == _REFERENCE:
            return Reference(rest[0], rest[1], span)
        if head == _META:
            return Meta(self.form(rest[0]), self.form(rest[1]), span)
        if head == _HINT:
            return HintForm(rest[0], rest[1], None, self.form(rest[2]), span)
        return None
