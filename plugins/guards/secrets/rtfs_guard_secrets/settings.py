"""The keys of `[guards.secrets]`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

import attrs

_MOST_PATTERN = 500


class BadPattern(ValueError):
    """An expression that cannot be used, and what to write instead."""

    def __init__(self, message: str, way_out: str) -> None:
        super().__init__(message)
        self.way_out = way_out


def _expressions(_: Any, field: attrs.Attribute[Any], value: Mapping[str, str]) -> None:
    for name, text in value.items():
        if len(text) > _MOST_PATTERN:
            wrong = f"'{field.name}': the expression '{name}' is longer than {_MOST_PATTERN} characters"
            raise BadPattern(wrong, "write two of them")
        try:
            found = re.compile(text)
        except re.error as error:
            wrong = f"'{field.name}': the expression '{name}' is none: {error}"
            raise BadPattern(wrong, "write a regular expression of Python, in single quotes") from error
        if found.match("") is not None:
            raise BadPattern(f"'{field.name}': the expression '{name}' fits the empty text", "say what must be there")


@attrs.frozen(slots=True, kw_only=True)
class SecretsSettings:
    """What the guard does, and what it looks for besides its own patterns."""

    action: Literal["redact", "refuse"] = "redact"
    """What becomes of a request with a secret: it goes without it, or not at all."""
    replies: bool = True
    """Whether replies are looked at, too."""
    patterns: Mapping[str, str] = attrs.field(factory=dict, validator=_expressions)
    """Names to regular expressions of your own."""
