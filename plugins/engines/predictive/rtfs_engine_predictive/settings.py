"""The engine's own keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
from attrs import validators

from rtfs_framework.api import Seconds, TargetText, plausible

_HOUR = 3600.0


def _groups(_: Any, field: attrs.Attribute[Any], value: Sequence[Sequence[str]]) -> None:
    for group in value:
        if len(set(group)) < 2:
            raise ValueError(f"'{field.name}' holds a group of fewer than two targets: {', '.join(group) or 'none'}")
        if "local-pure" in group:
            raise ValueError(f"'{field.name}' holds local-pure, which has no load: name models")
    named = [text for group in value for text in set(group)]
    several = next((text for text in named if named.count(text) > 1), None)
    if several is not None:
        raise ValueError(f"'{field.name}' holds {several} in two groups")


@attrs.frozen(slots=True, kw_only=True)
class PredictiveSettings:
    """Keys of `[engines.NAME]`, besides `base`, which names the engine that decides."""

    equal: Sequence[Sequence[TargetText]] = attrs.field(default=(), validator=_groups)
    """Groups of targets that are as good as one another: the less busy of two takes the call."""
    horizon: Seconds = attrs.field(
        default=Seconds(300.0),
        validator=[validators.gt(Seconds(0.0)), validators.le(Seconds(_HOUR))],
        metadata=plausible(30, _HOUR),
    )
    """How long what was warmed stays warm: what is proposed is likely to be asked within this time."""
    least: float = attrs.field(default=0.5, validator=[validators.gt(0.0), validators.le(1.0)])
    """How likely that must be to be proposed; the host takes the likeliest, and lets few be for nothing."""
