"""The keys of `[embedders.minilm]`."""

from __future__ import annotations

import attrs
from attrs import validators


@attrs.frozen(slots=True, kw_only=True)
class MiniLmSettings:
    """What of a text is looked at, and with how much of the machine."""

    tokens: int = attrs.field(default=256, validator=[validators.ge(8), validators.le(512)])
    """From its start: a decision waits for the vector, and time grows with the text. The model was trained on 256."""
    threads: int = attrs.field(default=1, validator=[validators.ge(1), validators.le(64)])
    """That compute one vector. More than one is slower on a busy machine."""
