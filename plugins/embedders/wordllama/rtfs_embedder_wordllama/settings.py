"""The keys of `[embedders.wordllama]`."""

from __future__ import annotations

import attrs
from attrs import validators


@attrs.frozen(slots=True, kw_only=True)
class WordLlamaSettings:
    """What of a text is looked at."""

    characters: int = attrs.field(default=8192, validator=[validators.ge(1), validators.le(100_000)])
    """From its start: a decision waits for the vector, and time grows with the text."""
