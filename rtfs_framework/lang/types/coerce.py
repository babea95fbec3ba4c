"""Make RTFS values of a declared type out of JSON data (`from_json`) or of a model's plain text (`from_text`).

The rules for data are in `coercer`; `jsonable.to_json` is the other way.
"""

from __future__ import annotations

import re

from rtfs_framework.lang.annotations import Any
from rtfs_framework.lang.errors import type_validation_error
from rtfs_framework.lang.jsontext import JsonError, load
from rtfs_framework.lang.maps import equal
from rtfs_framework.lang.types.coercer import Coercer
from rtfs_framework.lang.types.failure import TOO_DEEP, Failure, brief
from rtfs_framework.lang.types.jsonable import to_json
from rtfs_framework.lang.types.model import EnumType, LiteralType, NamedType, OptionalType, Primitive, Type
from rtfs_framework.lang.types.names import Lookup, no_names, resolve
from rtfs_framework.lang.types.show import show_type

__all__ = ["from_json", "from_text", "to_json"]

_FENCE = re.compile(r"```[^\n`]*\n(.*?)\n?[ \t]*```", re.DOTALL)
_QUOTED = re.compile(r"(?P<quote>['`])(?P<word>[^'`\"\n]*)(?P=quote)")
_NOTHING = Failure("no reading")


def from_json(type_: Type, data: Any, lookup: Lookup = no_names) -> Any:
    """Return the value of a declared type that JSON data stands for.

    Raises:
        ProgramError: TypeValidationError with the path to what does not fit.
    """
    made = _coerced(type_, data, lookup)
    if made.__class__ is Failure:
        raise type_validation_error(str(made))
    return made


def from_text(type_: Type, text: str, lookup: Lookup = no_names) -> Any:
    """Return the value of a declared type that a plain-text reply stands for.

    The reply may be JSON, a bare or quoted word or text (for strings, keywords, enumerations), a number, true, false or
    nil, each with white space or one code fence around it.

    Raises:
        ProgramError: TypeValidationError when nothing fits, or when two readings fit and differ.
    """
    body = _unfenced(type_, text, lookup)
    as_data = _read_data(type_, body, lookup)
    as_word = _read_word(type_, body, lookup)
    if as_data.__class__ is Failure and as_word.__class__ is Failure:
        seen = as_word if as_data is _NOTHING else as_data
        raise type_validation_error(f"the reply {brief(body)} is no {show_type(type_)}: {seen}")
    if as_data.__class__ is Failure:
        return as_word
    quoted = body.startswith('"') or _final(type_, lookup) is Primitive.ANY
    if quoted or as_word.__class__ is Failure or equal(as_data, as_word):
        return as_data
    raise type_validation_error(f"the reply {brief(body)} is ambiguous: more than one reading fits {show_type(type_)}")


def _coerced(type_: Type, data: Any, lookup: Lookup) -> Any:
    try:
        return Coercer(lookup).of(type_, data)
    except RecursionError:
        return TOO_DEEP


def _unfenced(type_: Type, text: str, lookup: Lookup) -> str:
    """Return the reply without the code fence around it; for other types than strings the fence may stand in prose."""
    body = text.strip().removeprefix("\ufeff").strip()
    fences = list(_FENCE.finditer(body))
    whole = len(fences) == 1 and fences[0].group() == body
    if not fences or (_final(type_, lookup) is Primitive.STRING and not whole):
        return body
    if len(fences) > 1:
        raise type_validation_error(f"the reply is ambiguous: it has {len(fences)} code blocks")
    return fences[0].group(1).strip()


def _read_data(type_: Type, body: str, lookup: Lookup) -> Any:
    """Read the reply as JSON."""
    try:
        data = load(body)
    except JsonError:
        return _NOTHING
    return _coerced(type_, data, lookup)


def _read_word(type_: Type, body: str, lookup: Lookup) -> Any:
    """Read the reply as text: a word in quotes of any kind, another spelling of a literal, or the text itself."""
    found = _QUOTED.fullmatch(body)
    word = found["word"] if found else body
    if word.lower() in _SPELLED:
        made = _coerced(type_, _SPELLED[word.lower()], lookup)
        if made.__class__ is not Failure:
            return made
    made = _coerced(type_, word, lookup)
    near = _near(_final(type_, lookup), word) if made.__class__ is Failure else None
    return made if near is None else _coerced(type_, near, lookup)


_SPELLED: dict[str, Any] = {"true": True, "false": False, "nil": None, "null": None, "none": None}


def _near(type_: Type | None, word: str) -> str | None:
    """Return the only literal that the word spells in other letter case or with a full stop behind it."""
    values = type_.values if isinstance(type_, EnumType) else ()
    names = {n for n in map(_name, values) if n is not None and n.casefold() == word.removesuffix(".").casefold()}
    return names.pop() if len(names) == 1 else None


def _name(value: Any) -> str | None:
    name = getattr(value, "name", value)
    return name if isinstance(name, str) else None


def _final(type_: Type, lookup: Lookup) -> Type | None:
    """Return the type behind names, `T?` and optionals."""
    for _ in range(32):
        if isinstance(type_, NamedType):
            found = resolve(type_.name, lookup)
            if found is None:
                return None
            type_ = found
        elif isinstance(type_, OptionalType):
            type_ = type_.type
        else:
            break
    return EnumType((type_.value,)) if isinstance(type_, LiteralType) else type_
