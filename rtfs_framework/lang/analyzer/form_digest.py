"""The digest of a form: equal for forms that were written alike, spans aside, and different for all others.

As data, maps whose entries stand in another order are equal, and -0.0 is 0.0. Of a function's text neither is the
same: the order of entries is the order in which they happen. So maps, sets and floats are told apart here as written.
"""

from __future__ import annotations

from rtfs_framework.lang import forms as fm
from rtfs_framework.lang.annotations import Any
from rtfs_framework.lang.digest import digest
from rtfs_framework.lang.forms import Form
from rtfs_framework.lang.never import forgotten
from rtfs_framework.lang.values import Symbol
from rtfs_framework.lang.vectors import List


def form_digest(form: Form) -> str:
    """Return the SHA-256 (hex) of a form."""
    return digest(_written(form))


def _written(form: Form) -> Any:
    match form:
        case fm.Atom(value=value):
            return _of("float", value.hex()) if value.__class__ is float else value
        case fm.Name(name=name):
            return Symbol(name)
        case fm.ListForm(items=items):
            return List(map(_written, items))
        case fm.VectorForm(items=items):
            return tuple(map(_written, items))
        case fm.MapForm(items=items):
            return _of("map", *map(_written, items))
        case fm.SetForm(items=items):
            return _of("set", *map(_written, items))
        case fm.ShorthandFn(body=body):
            return _of("fn", _written(body))
        case fm.Quoted(kind=kind, form=inner):
            return _of(kind, _written(inner))
        case fm.Reference(name=name, plain=plain):
            return _of("reference", name, plain)
        case fm.Meta(meta=meta, form=inner):
            return _of("meta", _written(meta), _written(inner))
        case fm.HintForm(keyword=keyword, id=named, map=table, form=inner):
            return _of("hint", keyword, named, None if table is None else _written(table), _written(inner))
        case _ as never:
            raise forgotten(never)


def _of(kind: str, *parts: Any) -> List:
    """Return a list whose head no program can write."""
    return List((Symbol(f"\0{kind}"), *parts))
