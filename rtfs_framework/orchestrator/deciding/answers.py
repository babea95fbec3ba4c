"""Answers of a declared type to questions of engines: kept as JSON, checked whenever they are read."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from rtfs_framework.api.typed import JsonError, from_json, load_json, parse_type
from rtfs_framework.lang.errors import ProgramError
from rtfs_framework.lang.types.model import Type
from rtfs_framework.lang.types.show import show_type


def schema_text(schema: Type | str) -> str:
    """Return a type as the text that stands in a question.

    Raises:
        LanguageError: A text is no type.
    """
    if isinstance(schema, str):
        type_of(schema)
        return schema
    return show_type(schema)


@lru_cache(maxsize=256)
def type_of(schema: str) -> Type:
    """Return the type that a question names."""
    return parse_type(schema)


def value_of(answer: str, schema: str) -> Any:
    """Return an answer as a value of its type, None when it is none."""
    try:
        return from_json(type_of(schema), load_json(answer))
    except (JsonError, ProgramError):
        return None
