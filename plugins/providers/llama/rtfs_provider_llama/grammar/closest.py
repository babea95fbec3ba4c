"""The closest grammar of a schema that no grammar can say: without what whoever reads the text checks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from rtfs_provider_llama.grammar.bounds import Bounds
from rtfs_provider_llama.grammar.build import gbnf
from rtfs_provider_llama.grammar.errors import GrammarError, NothingFitsError

_REFINEMENTS = ("pattern", "format", "not", "uniqueItems", "minProperties", "minLength", "maxLength", "propertyNames")
_NAMED = frozenset({"properties", "$defs"})
"""What holds schemas under names that are no keywords."""
_DATA = frozenset({"const", "enum", "default", "examples", "not"})
"""What holds no schema that could be refined, but values, or what must not be."""
_MOST_TRIED = 8
_Path = tuple[Any, ...]


def closest(schema: Mapping[str, Any], bounds: Bounds | None = None) -> str:
    """Return the grammar of a schema, or of the same without what cannot be said: one refinement, all, or everything.

    Raises:
        NothingFitsError: No JSON fits the schema.
    """
    try:
        return gbnf(schema, bounds)
    except NothingFitsError:
        raise
    except GrammarError:
        places = sorted(_refinements(schema, ()), key=lambda path: _REFINEMENTS.index(path[-1]))
    for without in (*[[place] for place in places[:_MOST_TRIED]], places):
        with suppress(GrammarError):
            return gbnf(_without(schema, frozenset(without), ()), bounds)
    return gbnf({}, bounds)


def _refinements(schema: Any, path: _Path) -> Iterator[_Path]:
    """Yield where a schema and those within it are refined."""
    if isinstance(schema, list):
        for place, each in enumerate(schema):
            yield from _refinements(each, (*path, place))
    if not isinstance(schema, Mapping):
        return
    for name, said in schema.items():
        here = (*path, name)
        if name in _REFINEMENTS:
            yield here
        if name in _NAMED:
            for member, each in said.items():
                yield from _refinements(each, (*here, member))
        elif name not in _DATA:
            yield from _refinements(said, here)


def _without(schema: Any, places: frozenset[_Path], path: _Path) -> Any:
    """Return a schema without what stands at some places."""
    if isinstance(schema, list):
        return [_without(each, places, (*path, place)) for place, each in enumerate(schema)]
    if not isinstance(schema, Mapping):
        return schema
    return {name: _without(said, places, (*path, name)) for name, said in schema.items() if (*path, name) not in places}
