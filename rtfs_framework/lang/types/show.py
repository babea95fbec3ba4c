"""Print types: the text that `show_type` returns reads back to an equal type."""

from __future__ import annotations

from rtfs_framework.lang.annotations import Any
from rtfs_framework.lang.never import forgotten
from rtfs_framework.lang.printer import write
from rtfs_framework.lang.types import model as ty
from rtfs_framework.lang.types.model import Primitive, Type


def show_type(type_: Type) -> str:  # noqa: C901, PLR0912 - one line per kind of type
    """Return the type as RTFS text."""
    match type_:
        case Primitive():
            return f":{type_.value}"
        case ty.NamedType(name):
            return name
        case ty.VectorType(item):
            return _form("vector", show_type(item))
        case ty.ListType(item):
            return _form("list", show_type(item))
        case ty.SetType(item):
            return _form("set", show_type(item))
        case ty.TupleType(items):
            return _form("tuple", *_all(items))
        case ty.MapType(entries, rest):
            shown = [_show_entry(e) for e in entries]
            return _form("map", *shown, *([] if rest is None else [f"[:* {show_type(rest)}]"]))
        case ty.MapOfType(key, value):
            return _form("map-of", show_type(key), show_type(value))
        case ty.FunctionType():
            return _show_function(type_)
        case ty.UnionType(members):
            return _form("union", *_all(members))
        case ty.OptionalType(inner):
            return _form("optional", show_type(inner))
        case ty.AndType(members, predicates):
            return _form("and", *_all(members), *[show_predicate(p) for p in predicates])
        case ty.EnumType(values):
            return _form("enum", *[write(v) for v in values])
        case ty.LiteralType(value):
            return _form("val", write(value))
        case ty.ArrayType(item, shape):
            return _form("array", show_type(item), *_show_shape(shape))
        case ty.ResourceType(name):
            return _form("resource", name)
        case ty.StreamType(item, takes):
            return _form("stream", show_type(item)) if takes is None else _form("stream-bi", *_all((item, takes)))
        case _ as never:
            raise forgotten(never)


def show_predicate(predicate: ty.Predicate) -> str:
    """Return a refinement as it is written: `[:> 0]`."""
    return _form(predicate.name, *[write(arg) for arg in predicate.args])


def _form(head: str, *parts: str) -> str:
    return f"[{' '.join((f':{head}', *parts))}]"


def _all(types: tuple[Type, ...]) -> list[str]:
    return [show_type(t) for t in types]


def _show_entry(entry: ty.MapEntry) -> str:
    return f"[{write(entry.key)} {show_type(entry.type)}{' ?' if entry.optional else ''}]"


def _show_function(type_: ty.FunctionType) -> str:
    parameters = _all(type_.parameters)
    if type_.rest is not None:
        parameters += ["&", show_type(type_.rest)]
    return _form("fn", f"[{' '.join(parameters)}]", show_type(type_.returns))


def _show_shape(shape: tuple[Any, ...]) -> list[str]:
    return [f"[{' '.join('?' if n is None else str(n) for n in shape)}]"] if shape else []
