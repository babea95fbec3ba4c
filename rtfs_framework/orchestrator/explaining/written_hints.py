"""Execution hints as a program's text has them: what is wrong with those that are written out; those around a place.

In: a compiled program's texts, read again. What is computed is known when the call is made, and no sooner.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.lang import forms as fm
from rtfs_framework.lang.analyzer.data import to_data
from rtfs_framework.lang.diagnostics import Diagnostic, did_you_mean
from rtfs_framework.lang.errors import LanguageError
from rtfs_framework.lang.printer import write
from rtfs_framework.lang.reader.read import read_program
from rtfs_framework.lang.source import Place, Source
from rtfs_framework.orchestrator.boundary.hints import NAMES, PREFIX, HintError, Hints, read_hint
from rtfs_framework.orchestrator.deciding.hinted import check_hints
from rtfs_framework.orchestrator.remembering.similar import HINT as SIMILAR

if TYPE_CHECKING:
    from rtfs_framework.orchestrator.host import Host
    from rtfs_framework.orchestrator.recording.records import Steps


_KNOWN = frozenset({*NAMES, SIMILAR.removeprefix(PREFIX)})
"""Those that somebody here reads."""


@attrs.frozen(slots=True, eq=False)
class _Written:
    """One hint of a text."""

    source: Source
    name: str
    """Without `runtime.learning.`."""
    value: fm.Form
    over: fm.Form
    """The expression that it is for."""


def wrong_hints(host: Host, sources: Iterable[Source]) -> Iterator[Diagnostic]:
    """Yield a finding for each hint that is written out and means nothing, or more than the policy allows."""
    for each in _written(sources):
        near = None if each.name in _KNOWN else did_you_mean(each.name, NAMES)
        if near is not None:
            message = f"no hint is called {PREFIX}{each.name}, and nobody may look at it"
            yield Diagnostic(
                code="E0622", message=message, source=each.source, span=each.value.span, help=near, severity="warning"
            )
        if not _is_literal(each.value):
            continue
        hinting = host.dispatcher.hinting
        try:
            found = read_hint(each.name, to_data(each.value))
            if found is not None:
                hints = Hints(**{each.name.replace("-", "_"): found})
                check_hints(hints, hinting.policy, hinting.where)
                hinting.check_fallback(hints, host.dispatcher.capabilities.security)
        except HintError as error:
            yield Diagnostic(
                code=error.code,
                message=f"the hint {PREFIX}{error.name}: {error.problem}",
                source=each.source,
                span=each.value.span,
                help=error.way_out,
                kind="InvalidArgument",
            )


def hints_around(written: Iterable[_Written], place: Place) -> Steps:
    """Return the hints that are written around a place, the innermost word of each name."""
    found: dict[str, str] = {}
    for each in written:
        start, end = (each.source.place(at) for at in (each.over.span.start, each.over.span.end))
        if each.source.name == place.source and start <= (place.line, place.column) < end:
            found[each.name] = write(to_data(each.value))
    return tuple(found.items())


def written_hints(sources: Iterable[Source]) -> tuple[_Written, ...]:
    """Return the hints of a program, in the order of its texts."""
    return tuple(_written(sources))


def fallbacks(sources: Iterable[Source]) -> Iterator[tuple[str, Place]]:
    """Yield the capabilities that hints name to answer for failures, each with the place of that."""
    for each in _written(sources):
        if each.name != "fallback" or not _is_literal(each.value):
            continue
        try:
            found = read_hint(each.name, to_data(each.value))
        except HintError:  # told by `wrong_hints`
            continue
        if found is not None:
            yield found.capability, Place(each.source.name, *each.source.place(each.value.span.start))


def _written(sources: Iterable[Source]) -> Iterator[_Written]:
    for number, source in enumerate(sources):
        if PREFIX not in source.text:
            continue
        try:
            forms = read_program(source, number)
        except LanguageError:  # what is wrong with it is told by whoever compiles it
            continue
        todo: list[Any] = list(reversed(forms))
        while todo:
            form = todo.pop()
            if isinstance(form, fm.Meta) and isinstance(form.meta, fm.MapForm):
                for key, value in form.meta.pairs:
                    name = fm.keyword_of(key) or fm.text_of(key) or ""
                    if name.startswith(PREFIX):
                        yield _Written(source, name.removeprefix(PREFIX), value, form.form)
            todo.extend(reversed(list(parts(form))))


def parts(form: fm.Form) -> Iterator[fm.Form]:
    """Yield the forms right within a form."""
    match form:
        case fm.ListForm(items=items) | fm.VectorForm(items=items) | fm.MapForm(items=items) | fm.SetForm(items=items):
            yield from items
        case fm.ShorthandFn(body=body):
            yield body
        case fm.Quoted(form=inner):
            yield inner
        case fm.Meta(meta=meta, form=inner):
            yield from (meta, inner)
        case fm.HintForm(form=inner):
            yield inner
        case fm.Atom() | fm.Name() | fm.Reference():
            return


def _is_literal(form: fm.Form) -> bool:
    """Tell whether a form is its own value: atoms, and vectors and maps of such."""
    if isinstance(form, fm.VectorForm | fm.MapForm):
        return all(map(_is_literal, form.items))
    return isinstance(form, fm.Atom)
