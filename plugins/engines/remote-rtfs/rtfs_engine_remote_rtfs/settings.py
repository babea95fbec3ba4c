"""The engine's own keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
from attrs import validators

from rtfs_framework.api import TargetText


def _some(_: Any, field: attrs.Attribute[Any], value: Sequence[str]) -> None:
    if not value or not all(each.strip() for each in value):
        raise ValueError(f"'{field.name}' names nothing")


@attrs.frozen(slots=True, kw_only=True)
class PeerSettings:
    """Keys of `[engines.NAME]`, besides `fallback`, which names the engine that decides where no host may be asked."""

    symbols: Sequence[str] = attrs.field(default=("*",), validator=_some)
    """The functions that it decides about, names and patterns with `*`; about others the fallback decides."""
    peers: Sequence[TargetText] = ()
    """The hosts that may be asked, the preferred one first among equals; without it, all that are configured."""
    max_cost: float | None = attrs.field(default=None, validator=validators.optional(validators.ge(0.0)))
    """US dollars per million tokens, in and out together: hosts whose cheapest target costs more are left out, and
    those of which nobody knows it."""
    quality_floor: float = attrs.field(default=0.0, validator=[validators.ge(0.0), validators.le(1.0)])
    """The least quality of a target that a host must offer."""
    known_only: bool = False
    """Whether hosts that have not said what they offer are left out; else they count as if they had room."""
    most_tried: int = attrs.field(default=3, validator=[validators.ge(1), validators.le(8)])
    """Hosts that are asked for one call."""
