"""Quoted data: forms as values (symbols, lists, vectors, maps), and values back as forms (what a macro returns)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import assert_never

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

if TYPE_CHECKING:
    from rtfs_framework.lang.analyzer.analyze import Analyzer


def to_data(analyzer: Analyzer, form: Form) -> Any:
    """Return the value of a quoted form.

    Raises:
        LanguageError: a delegation hint inside quoted data.
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
        case Reference(name=name):
            return List((Symbol("context/get"), name))
        case ShorthandFn(body=body):
            return List((Symbol("#()"), to_data(analyzer, body)))
        case Meta(form=inner):
            return to_data(analyzer, inner)
        case HintForm():
            raise analyzer.refuse(form, "E0113", "a delegation hint cannot be quoted")
        case _ as never:
            assert_never(never)


def to_form(value: Any, span: Span) -> Form:
    """Return the form that a value stands for; every part gets the span of the macro call."""
    if value.__class__ is Symbol:
        return Name(value.name, span)
    if value.__class__ is List:
        head = value[0].name if len(value) == 2 and value[0].__class__ is Symbol else ""
        if head in ("quasiquote", "unquote", "splice"):
            return Quoted(head, to_form(value[1], span), span)
        if head == "#()":
            body = to_form(value[1], span)
            return ShorthandFn(body, span) if isinstance(body, ListForm) else body
        return ListForm(tuple(to_form(item, span) for item in value), span)
    if value.__class__ is tuple or value.__class__ is GrownVector:
        return VectorForm(tuple(to_form(item, span) for item in value), span)
    if value.__class__ is Map:
        return MapForm(tuple(to_form(part, span) for entry in value.items() for part in entry), span)
    if value.__class__ is Set:
        return SetForm(tuple(to_form(item, span) for item in value), span)
    return Atom(value, span)
