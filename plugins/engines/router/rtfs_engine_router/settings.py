"""The engine's own keys."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
from attrs import validators

from rtfs_framework.api import FILE_WITHIN


@attrs.frozen(slots=True, kw_only=True)
class RouterSettings:
    """Keys of `[engines.NAME]`, besides `weak` and `strong`, which name engines or targets."""

    router: str = attrs.field(validator=validators.min_len(1), metadata=FILE_WITHIN)
    """The fitted model: a file that `rtfs learn routing` wrote, relative to the configuration."""
    remote_share: float = attrs.field(default=0.5, validator=[validators.ge(0.0), validators.le(1.0)])
    """The share of calls that is wished for `strong`."""
    adapt: bool = True
    """Whether the threshold follows what comes, so that the share is kept when requests are unlike those of the fit."""
    symbols: Sequence[str] = ()
    """The functions that it decides about, names and patterns with `*`; without it, what those below it claim."""
