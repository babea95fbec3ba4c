"""JSON Schemas of clients, and what does not fit them (draft 2020-12, by the library `jsonschema-rs`).

In: a schema that somebody sent. Out: why it is none, or why data does not fit. A schema is not trusted: it may name no
other document, and its patterns take linear time (those with look-around or back-references are refused).
"""

from __future__ import annotations

from functools import lru_cache
from importlib.util import find_spec
from typing import Any

from rtfs_framework.api.secrets import one_line
from rtfs_framework.lang.jsontext import dump

_KEPT = 64
_MOST_WORDS = 300


def why_no_schema(schema: Any) -> str | None:
    """Return why something is no JSON Schema that can be checked here, None where it is one."""
    if not _installed():
        return None
    try:
        _validator(dump(schema))
    except ValueError as error:  # an error of validation is one
        return one_line(getattr(error, "message", None) or str(error), _MOST_WORDS)
    return None


def misfit(schema: Any, data: Any) -> str | None:
    """Return why JSON data does not fit a schema, None where it does.

    Nothing is checked without the library, which the extra `serve` brings, and by what is no schema.
    """
    if not _installed() or why_no_schema(schema) is not None:
        return None
    found = next(iter(_validator(dump(schema)).iter_errors(data)), None)
    if found is None:
        return None
    place = "".join(f"/{each}" for each in found.instance_path)
    return one_line(f"{found.message} (at {place or 'the top'})", _MOST_WORDS)


@lru_cache(maxsize=1)
def _installed() -> bool:
    return find_spec("jsonschema_rs") is not None


@lru_cache(maxsize=_KEPT)
def _validator(text: str) -> Any:
    """Return what checks by the schema that a JSON text is."""
    import jsonschema_rs

    return jsonschema_rs.Draft202012Validator(text, retriever=_no_other, pattern_options=jsonschema_rs.RegexOptions())


def _no_other(_: str) -> Any:
    raise ValueError("a schema may name no other document")
