"""Forms from what the parser recognizes: each method is a rule of the grammar, and is given the rule's parts."""

from __future__ import annotations

from rtfs_framework.lang import forms as fm
from rtfs_framework.lang.annotations import Any
from rtfs_framework.lang.errors import LanguageError
from rtfs_framework.lang.forms import Form, make_list, make_vector
from rtfs_framework.lang.reader.atoms import refuse
from rtfs_framework.lang.reader.hints import HintMark, resolve_hints
from rtfs_framework.lang.reader.reading import Reading, Token
from rtfs_framework.lang.source import Span, make_span

_QUOTES = {"'": "quote", "`": "quasiquote", "~": "unquote", "~@": "splice"}


class Builder:
    """The actions of the grammar; they are called while it parses. Holds no state: tokens carry their reading."""

    def only(self, parts: list[Any]) -> Any:
        """What stands for its only part."""
        return parts[0]

    def none(self, _parts: list[Any]) -> list[Any]:
        """No forms yet."""
        return []

    def with_run(self, parts: list[Any]) -> list[Any]:
        """Forms, then a run of them."""
        items, run = parts
        if not items:
            return run.value  # type: ignore[no-any-return]
        items += run.value
        return items  # type: ignore[no-any-return]

    def with_form(self, parts: list[Any]) -> list[Any]:
        """Forms, then one with brackets in it."""
        items, form = parts
        items.append(form)
        return items  # type: ignore[no-any-return]

    def with_forms(self, parts: list[Any]) -> list[Any]:
        """Forms, then what begins with a prefix."""
        items, forms = parts
        items += forms
        return items  # type: ignore[no-any-return]

    def list_form(self, parts: list[Any]) -> fm.ListForm:
        """`( ... )`."""
        return make_list(*_inside(parts))

    def vector_form(self, parts: list[Any]) -> fm.VectorForm:
        """`[ ... ]`."""
        return make_vector(*_inside(parts))

    def set_form(self, parts: list[Any]) -> fm.SetForm:
        """`#{ ... }`."""
        return fm.SetForm(*_inside(parts))

    def shorthand(self, parts: list[Any]) -> fm.ShorthandFn:
        """`#( ... )`."""
        forms, span = _inside(parts)
        return fm.ShorthandFn(fm.ListForm(forms, span), span)

    def map_form(self, parts: list[Any]) -> fm.MapForm:
        """`{ ... }`; a key without a value is noted."""
        forms, span = _inside(parts)
        if len(forms) % 2:
            reading, last = parts[0].reading, forms[-1].span
            message = "a map needs a value for every key"
            reading.kept(refuse(reading.source, last.start, last.end, "E0108", message, "as in {:key value}"), span)
            forms = forms[:-1]
        return fm.MapForm(forms, span)

    def run(self, parts: list[Any]) -> list[Any]:
        """A run, whose first form belongs to the prefix before it."""
        return parts[0].value  # type: ignore[no-any-return]

    def form(self, parts: list[Any]) -> list[Any]:
        """A form with brackets in it, after a prefix."""
        return parts

    def quoted(self, parts: list[Any]) -> list[Any]:
        """A quote and what follows it: the first form is quoted."""
        token, (form, *others) = parts
        _refuse_mark(form, token.reading)
        span = Span(token.start, form.span.end, token.reading.number)
        return [fm.Quoted(_QUOTES[token.value], form, span), *others]

    def meta(self, parts: list[Any]) -> list[Any]:
        """`^meta form`, and the forms after it."""
        token, meta, (form, *others) = parts
        _refuse_mark(form, token.reading)
        data = meta.value[0] if meta.__class__ is Token else meta
        return [fm.Meta(data, form, Span(token.start, form.span.end, token.reading.number)), *others]


def finished(reading: Reading, items: list[Any]) -> tuple[Form, ...]:
    """Return the items of a sequence as forms, with every hint wrapped around its form."""
    return resolve_hints(reading.source, items) if reading.hinted else tuple(items)


def _inside(parts: list[Any]) -> tuple[tuple[Form, ...], Span]:
    opener, items, closer = parts
    reading = opener.reading
    return finished(reading, items), make_span(opener.start, closer.end, reading.number)


def _refuse_mark(form: Any, reading: Reading) -> None:
    if form.__class__ is HintMark:
        raise unexpected(reading, form.span.start, form.span.end)


def unexpected(reading: Reading, start: int, end: int) -> LanguageError:
    """Return the error for a token that cannot stand where it does."""
    shown = reading.source.text[start:end]
    return refuse(reading.source, start, end, "E0101", f"unexpected {shown!r}, expected a form")
