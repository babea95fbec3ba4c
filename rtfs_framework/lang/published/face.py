"""The face of a program: all that callers see of it, and its digest. Two programs of one face may stand in for another.

The face of a function is its name, documentation, parameters and types, with what their names of types stand for; that
of a whole program is the digest of its own IR: nothing but itself stands in for it.
"""

from __future__ import annotations

from rtfs_framework.lang import records
from rtfs_framework.lang.annotations import Any, Callable, Iterator
from rtfs_framework.lang.published import data
from rtfs_framework.lang.published.rows import PublishedError, write_rows
from rtfs_framework.lang.sha import sha256
from rtfs_framework.lang.signature import FunctionSignature
from rtfs_framework.lang.stack import room_for_recursion
from rtfs_framework.lang.types.model import NamedType, Type

VERSION = 1


def face_rows(signature: FunctionSignature, lookup: Callable[[str], Type | None]) -> list[Any]:
    """Return the face of a function as rows; `lookup` says what a name of a type stands for."""
    arities = signature.arities or (signature,)
    told = [[[p.name, data.type_row(p.type), p.rest] for p in each.parameters] for each in arities]
    returns = [data.type_row(each.returns) for each in arities]
    named = _named([p.type for each in arities for p in each.parameters] + [each.returns for each in arities], lookup)
    return ["rtfs-face", VERSION, signature.name, signature.doc, told, returns, named]


@room_for_recursion()
def face_digest(signature: FunctionSignature, lookup: Callable[[str], Type | None]) -> str:
    """Return the SHA-256 (hex) of a function's face.

    Raises:
        PublishedError: its types are too large, or nest too deeply.
    """
    try:
        return sha256(write_rows(face_rows(signature, lookup))).hexdigest()
    except RecursionError:
        raise PublishedError("its types nest too deeply") from None


def face_text(signature: FunctionSignature) -> str:
    """Return a face in words: what an embedder makes a vector of."""
    names = ", ".join(each.name for each in signature.parameters)
    return f"{signature.name} ({names})\n{signature.doc}".strip()


def _named(declared: list[Type | None], lookup: Callable[[str], Type | None]) -> list[Any]:
    """Return what the names of types in these types stand for, those inside included, sorted."""
    found: dict[str, Type] = {}
    todo: list[Any] = [each for each in declared if each is not None]
    while todo:
        for name in _names(todo.pop()):
            known = None if name in found else lookup(name)
            if known is not None:
                found[name] = known
                todo.append(known)
    return [[name, data.type_row(each)] for name, each in sorted(found.items())]


def _names(part: Any) -> Iterator[str]:
    if isinstance(part, NamedType):
        yield part.name
    elif isinstance(part, tuple):
        for each in part:
            yield from _names(each)
    elif records.fields_of(part.__class__):
        for field in records.fields_of(part.__class__):
            yield from _names(getattr(part, field.name))
