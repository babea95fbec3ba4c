"""Delegation hints: `^:delegation` and its target are read as a prefix of the form that follows them."""

from __future__ import annotations

from rtfs_framework.lang import records
from rtfs_framework.lang.annotations import Any
from rtfs_framework.lang.diagnostics import did_you_mean
from rtfs_framework.lang.forms import Atom, Form, HintForm, MapForm, keyword_of
from rtfs_framework.lang.reader.atoms import refuse
from rtfs_framework.lang.source import Source, Span
from rtfs_framework.lang.values import Keyword

ACCEPTED = 'as in ^:delegation :local, :local-model "id", :remote "id" or {:target "id"}'
_WITH_ID = ("local-model", "remote")
_KNOWN = ("local", *_WITH_ID)


@records.frozen(eq=False)
class HintMark:
    """`^:delegation` before its target was read; never leaves the reader."""

    span: Span


def resolve_hints(source: Source, items: list[Any]) -> tuple[Form, ...]:
    """Return the items of a sequence with every hint wrapped around the form after its target.

    Raises:
        LanguageError: E0110 for a malformed target, E0111 for a second hint, E0112 for a hint before nothing.
    """
    if not any(item.__class__ is HintMark for item in items):
        return tuple(items)
    out: list[Form] = []
    rest = list(reversed(items))
    while rest:
        item = rest.pop()
        out.append(_hinted(source, item, rest) if item.__class__ is HintMark else item)
    if sum(item.__class__ is HintForm for item in out) > 1:
        second = [item for item in out if item.__class__ is HintForm][1]
        raise refuse(source, second.span.start, second.span.start + 12, "E0111", "a second delegation hint", "keep one")
    return tuple(out)


def _hinted(source: Source, mark: HintMark, rest: list[Any]) -> HintForm:
    keyword, model, table = _target(source, mark, rest)
    if not rest:
        raise refuse(source, mark.span.start, mark.span.end, "E0112", "this hint stands before nothing", ACCEPTED)
    form = rest.pop()
    if form.__class__ is HintMark:
        raise refuse(source, form.span.start, form.span.end, "E0111", "a second delegation hint", "keep one")
    return HintForm(keyword, model, table, form, mark.span.cover(form.span))


def _target(source: Source, mark: HintMark, rest: list[Any]) -> tuple[str, str | None, MapForm | None]:
    target = rest.pop() if rest else None
    if isinstance(target, MapForm):
        return "target", _map_target(source, target), target
    name = None if target is None else keyword_of(target)
    if target is None or name is None:
        span = mark.span
        raise refuse(source, span.start, span.end, "E0110", "a delegation hint needs a target", ACCEPTED)
    if name not in _KNOWN:
        near = did_you_mean(f":{name}", [f":{k}" for k in _KNOWN])
        message = f"unknown delegation target :{name}"
        raise refuse(source, target.span.start, target.span.end, "E0110", message, f"{near or ''} {ACCEPTED}".strip())
    if name not in _WITH_ID:
        return name, None, None
    model = rest.pop() if rest else None
    if not (isinstance(model, Atom) and isinstance(model.value, str) and model.value.strip()):
        what = "an empty id" if isinstance(model, Atom) and model.value == "" else f":{name} without a model id"
        span = target.span
        raise refuse(source, span.start, span.end, "E0110", what, f'write the id as a string: :{name} "id"')
    return name, model.value, None


def _map_target(source: Source, table: MapForm) -> str:
    for key, value in table.pairs:
        if isinstance(key, Atom) and key.value is Keyword("target") and len(table.items) == 2:
            if isinstance(value, Atom) and isinstance(value.value, str) and value.value.strip():
                return value.value
            raise refuse(source, value.span.start, value.span.end, "E0110", "an empty or missing id", ACCEPTED)
    raise refuse(source, table.span.start, table.span.end, "E0110", "unknown hint map", ACCEPTED)
