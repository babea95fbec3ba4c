"""Models that a program's text asks by name: streams (`{:model "name" :prompt ...}`), and calls such as `llm-execute`.

In: texts of programs, read again; for calls also where the compiled program makes them, so that one that a macro makes
counts. Out: names and places. What is computed is judged when the program runs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import attrs

from rtfs_framework.lang import forms as fm
from rtfs_framework.lang.errors import LanguageError
from rtfs_framework.lang.reader.read import read_program
from rtfs_framework.lang.source import Place, Source
from rtfs_framework.orchestrator.explaining.written_hints import parts


@attrs.frozen(slots=True)
class WrittenModel:
    """A model that is asked at a place; with neither a name nor `only` it is computed."""

    place: Place
    name: str | None = None
    only: bool = False
    """Whether none is named, which means the only one that is configured."""


def written_models(sources: Iterable[Source]) -> Iterator[WrittenModel]:
    """Yield the model of each source of a stream."""
    for place, form in _forms(sources):
        if isinstance(form, fm.MapForm):
            said = {fm.keyword_of(key): value for key, value in form.pairs}
            if {"model", "prompt"} <= said.keys():
                yield _named(place, said["model"])


def asked_models(sources: Iterable[Source], places: Iterable[Place]) -> Iterator[WrittenModel]:
    """Yield the model of each call that asks one, by the places of the calls."""
    lists = {place: form for place, form in _forms(sources) if isinstance(form, fm.ListForm)}
    for place in places:
        form = lists.get(place)
        yield WrittenModel(place) if form is None else _asked(place, form)


def _asked(place: Place, form: fm.ListForm) -> WrittenModel:
    """Return the model of `(llm-execute model ...)` or `(call id model ...)`, whose arguments may be one map."""
    args = form.items[1:] if fm.head_of(form) == "llm-execute" else form.items[2:]
    if fm.head_of(form) not in ("llm-execute", "call") or not args:
        return WrittenModel(place)
    names = [fm.keyword_of(each) for each in args[::2]]
    if len(args) > 1 and len(args) % 2 == 0 and all(names) and "model" in names:
        return _named(place, args[2 * names.index("model") + 1])
    if isinstance(args[0], fm.MapForm):
        said = {fm.keyword_of(key) or fm.text_of(key): value for key, value in args[0].pairs}
        if None in said:
            return WrittenModel(place)
        return _named(place, said["model"]) if "model" in said else WrittenModel(place, only=True)
    return _named(place, args[0])


def _named(place: Place, form: fm.Form) -> WrittenModel:
    only = isinstance(form, fm.Atom) and form.value is None
    return WrittenModel(place, fm.text_of(form) or fm.keyword_of(form), only)


def _forms(sources: Iterable[Source]) -> Iterator[tuple[Place, fm.Form]]:
    """Yield all forms of texts, with their places."""
    for number, source in enumerate(sources):
        try:
            todo: list[fm.Form] = list(reversed(read_program(source, number)))
        except LanguageError:  # what is wrong with it is told by whoever compiles it
            continue
        while todo:
            form = todo.pop()
            if isinstance(form, fm.MapForm | fm.ListForm):
                yield Place(source.name, *source.place(form.span.start)), form
            todo.extend(reversed(list(parts(form))))
