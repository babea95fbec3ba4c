"""The keys of `[embedders.e5]`."""

from __future__ import annotations

import attrs
from attrs import validators


@attrs.frozen(slots=True, kw_only=True)
class E5Settings:
    """What of a text is looked at."""

    characters: int = attrs.field(default=1000, validator=[validators.ge(8), validators.le(100_000)])
    """From its start: a decision waits for the vector, and time grows with the text. 512 tokens are read at a time."""
