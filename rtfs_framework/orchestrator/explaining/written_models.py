"""Models that a program's text asks by streams: `{:model "name" :prompt ...}`.

In: texts of programs, read again. Out: names and places. What is computed is judged when the program runs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rtfs_framework.lang import forms as fm
from rtfs_framework.lang.errors import LanguageError
from rtfs_framework.lang.reader.read import read_program
from rtfs_framework.lang.source import Place, Source
from rtfs_framework.orchestrator.explaining.written_hints import parts


def written_models(sources: Iterable[Source]) -> Iterator[tuple[str | None, Place]]:
    """Yield the model of each such source, None where its name is no literal text, with its place."""
    for number, source in enumerate(sources):
        if ":model" not in source.text:
            continue
        try:
            todo: list[fm.Form] = list(reversed(read_program(source, number)))
        except LanguageError:  # what is wrong with it is told by whoever compiles it
            continue
        while todo:
            form = todo.pop()
            if isinstance(form, fm.MapForm):
                said = {fm.keyword_of(key): value for key, value in form.pairs}
                if {"model", "prompt"} <= said.keys():
                    yield fm.text_of(said["model"]), Place(source.name, *source.place(form.span.start))
            todo.extend(reversed(list(parts(form))))
