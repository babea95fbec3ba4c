"""The engine's own keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import attrs
from attrs import validators

_UNIT: Any = [validators.ge(0.0), validators.le(1.0)]
_WEIGHT: Any = [validators.ge(0.0), validators.le(1_000.0)]
_SHARE: Any = [validators.ge(0.0), validators.le(0.9)]


@attrs.frozen(slots=True, kw_only=True)
class Weights:
    """What counts how much: what a target is worth is the weighted sum of what is expected of it."""

    success: float = attrs.field(default=1.0, validator=_WEIGHT)
    """That it answers at all."""
    validity: float = attrs.field(default=1.0, validator=_WEIGHT)
    """That what it answers is of the declared type, and passes the guards."""
    feedback: float = attrs.field(default=1.0, validator=_WEIGHT)
    """What people and programs say that its answers are worth."""
    cost: float = attrs.field(default=0.5, validator=_WEIGHT)
    """Against it: what it costs, as a share of what the dearest of the targets costs."""
    latency: float = attrs.field(default=0.1, validator=_WEIGHT)
    """Against it: how long it takes, as a share of what the slowest of the targets takes."""


@attrs.frozen(slots=True, kw_only=True)
class Threshold:
    """How often a target must succeed to be trusted; it rises where calls succeed, and falls where they fail."""

    base: float = attrs.field(default=0.65, validator=_UNIT)
    """Before anything is known."""
    minimum: float = attrs.field(default=0.3, validator=_UNIT)
    """It never falls below."""
    maximum: float = attrs.field(default=0.9, validator=_UNIT)
    """It never rises above."""
    success: float = attrs.field(default=0.3, validator=_UNIT)
    """Weight of how calls ended lately."""
    history: float = attrs.field(default=0.2, validator=_UNIT)
    """Weight of how all of them ended."""
    decay: float = attrs.field(default=0.95, validator=_UNIT)
    """By how much an outcome counts less with each that follows."""
    samples: int = attrs.field(default=10, validator=[validators.ge(1), validators.le(10_000)])
    """Outcomes before which nothing is adjusted, and no target is judged."""

    def __attrs_post_init__(self) -> None:
        if not self.minimum <= self.base <= self.maximum:
            raise ValueError("'base' must lie between 'minimum' and 'maximum'")


@attrs.frozen(slots=True, kw_only=True)
class AdaptiveSettings:
    """Keys of `[engines.NAME]`, besides `base`, which names the engine whose targets are chosen among."""

    exploration: float = attrs.field(default=0.03, validator=_SHARE)
    """The share of calls, at most, that go to another target than the one that is thought best; 0 for none."""
    learning: float = attrs.field(default=0.5, validator=_SHARE)
    """That share while a target has fewer than `samples` outcomes, and for a while after something has changed."""
    samples: int = attrs.field(default=20, validator=[validators.ge(1), validators.le(10_000)])
    """Outcomes from which on a target counts as known."""
    stated: int = attrs.field(default=100, validator=[validators.ge(0), validators.le(1_000_000)])
    """As many ratings as what the configuration says of a target's quality counts like."""
    focus: float = attrs.field(default=100.0, validator=[validators.ge(0.0), validators.le(1e6)])
    """How much less a target is explored the less it is worth: its weight is 1 / (targets + focus * gap)."""
    experience: int = attrs.field(default=16, validator=[validators.ge(0), validators.le(64)])
    """How many of the nearest situations are looked at while a target has fewer than `samples` outcomes; 0 for none.

    There are some where a cache layer of level L3 is on.
    """
    nearness: float = attrs.field(default=0.25, validator=[validators.ge(0.0), validators.le(0.99)])
    """How near a situation must be to count at all: what is as near as that counts nothing."""
    likeness: float = attrs.field(default=0.6, validator=[validators.gt(0.0), validators.le(1.0)])
    """How near it must be to count wholly; between both it counts in proportion."""
    borrowed: int = attrs.field(default=20, validator=[validators.ge(0), validators.le(10_000)])
    """As many outcomes, at most, as what functions like it have seen of a target counts like."""
    trust: float = attrs.field(default=0.75, validator=_UNIT)
    """How likely it is, before a function has outcomes, that targets do for it what they did for those like it.

    Its own outcomes change that; 1.0 never doubts it, 0.0 never believes it.
    """
    decay: float = attrs.field(default=0.998, validator=[validators.ge(0.5), validators.le(1.0)])
    """By how much an outcome of a target counts less with each of its outcomes that follows."""
    drift: bool = True
    """Whether a change in what a target does is looked for; what was known of it then counts little."""
    features: Sequence[Literal["size", "time_class"]] = ()
    """What of a call counts, besides its function: how large its request is, the class of the hour."""
    weights: Weights = Weights()
    """What an outcome's worth is made of."""
    threshold: Threshold = Threshold()
    """How sure the engine must be to choose by what it learned."""

    def __attrs_post_init__(self) -> None:
        if self.learning < self.exploration:
            raise ValueError("'learning' must not be below 'exploration'")
        if self.likeness <= self.nearness:
            raise ValueError("'likeness' must be above 'nearness'")
