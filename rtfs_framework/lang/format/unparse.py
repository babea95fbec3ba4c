"""Forms to text that reads back to them. Names that only macros can make (`x#1`) get a spelling that a reader takes."""

from __future__ import annotations

from rtfs_framework.lang import forms as fm
from rtfs_framework.lang.annotations import Any, Iterable
from rtfs_framework.lang.expander.core import OWN_WORD
from rtfs_framework.lang.forms import Form
from rtfs_framework.lang.never import forgotten
from rtfs_framework.lang.printer import write
from rtfs_framework.lang.values import Resource, Timestamp, Uuid

_PREFIXES = {"quote": "'", "quasiquote": "`", "unquote": "~", "splice": "~@"}


def unparse(form: Form) -> str:
    """Return the text of a form, on one line."""
    match form:
        case fm.Atom(value=value):
            return write_literal(value)
        case fm.Name(name=name):
            return readable(name)
        case fm.ListForm(items=items):
            return f"({_all(items)})"
        case fm.VectorForm(items=items):
            return f"[{_all(items)}]"
        case fm.MapForm(items=items):
            return f"{{{_all(items)}}}"
        case fm.SetForm(items=items):
            return f"#{{{_all(items)}}}"
        case fm.ShorthandFn(body=body):
            return f"#({_all(body.items)})"
        case fm.Quoted(kind=kind, form=inner):
            text = unparse(inner)
            return f"{_PREFIXES[kind]}{' ' if text.startswith('@') else ''}{text}"
        case fm.Reference(name=name, plain=plain):
            return f"@{':' if plain else ''}{name}"
        case fm.Meta(meta=meta, form=inner):
            return f"^{unparse(meta)} {unparse(inner)}"
        case fm.HintForm():
            return f"^:delegation {_target(form)} {unparse(form.form)}"
        case _ as never:
            raise forgotten(never)


def readable(name: str) -> str:
    """Return a name as a reader takes it: the language's own words plainly, and a hash sign only at the end."""
    name = name.removeprefix(OWN_WORD)
    return name[:-1].replace("#", "__") + name[-1:]


def write_literal(value: Any) -> str:
    """Return the text of a literal."""
    return value.text if isinstance(value, Timestamp | Uuid | Resource) else write(value)


def _all(items: Iterable[Form]) -> str:
    text = " ".join(map(unparse, items))
    return f"{text} " if text.endswith(":") else text  # a lone colon is one only before a space


def _target(form: fm.HintForm) -> str:
    if form.map is not None:
        return unparse(form.map)
    return f":{form.keyword}" if form.id is None else f":{form.keyword} {write(form.id)}"
