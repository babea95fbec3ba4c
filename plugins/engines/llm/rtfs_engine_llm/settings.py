"""The engine's own keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import attrs
from attrs import validators

from rtfs_framework.api import Milliseconds, TargetText, plausible

OWN_BODY = "local-pure"
_MOST_CHARACTERS = 100_000


def _a_model(_: Any, field: attrs.Attribute[Any], value: str | None) -> None:
    if value == OWN_BODY:
        raise ValueError(f"'{field.name}' must name a model that can be asked, and {OWN_BODY} is the function's body")


def _no_blank(_: Any, field: attrs.Attribute[Any], value: Sequence[str]) -> None:
    if not all(each.strip() for each in value):
        raise ValueError(f"'{field.name}' holds an empty name")


def _some(_: Any, field: attrs.Attribute[Any], value: Sequence[str]) -> None:
    if not value:
        raise ValueError(f"'{field.name}' names no function: without one, it decides about none")
    _no_blank(None, field, value)


_UNIT: Any = [validators.ge(0.0), validators.le(1.0)]
_COST: Any = validators.optional(validators.ge(0.0))
_POSITIVE: Any = validators.optional(validators.gt(0))


@attrs.frozen(slots=True, kw_only=True)
class LlmSettings:
    """Keys of `[engines.NAME]`, besides `fallback`, which names the engine that decides where the model does not."""

    model: TargetText | None = attrs.field(default=None, validator=_a_model)
    """The model that chooses: `local-<model>` or `remote-<provider>`. Without one the target is chosen whose
    `description` is nearest to the function's documentation, by the embedder of the configuration."""
    symbols: Sequence[str] = attrs.field(validator=_some)
    """The functions that it decides about, names and patterns with `*`; about others the fallback decides."""
    candidates: Sequence[TargetText] = ()
    """What may be chosen; without it, every model that can be used. `local-pure` is chosen only where it is named."""
    show: Literal["function", "request"] = "function"
    """What counts of a call: what the function is, or the request besides."""
    most_text: int = attrs.field(default=2_000, validator=[validators.ge(0), validators.le(_MOST_CHARACTERS)])
    """How many characters of the request it sees at most."""
    min_confidence: float = attrs.field(default=0.0, validator=_UNIT)
    """How sure the choice must be. Below, the fallback decides."""
    confidence: Literal["measured", "said"] = "measured"
    """How sure the model is: the probability of its choice, where its provider can tell; or what it says itself."""
    quality_floor: float = attrs.field(default=0.0, validator=_UNIT)
    """The least `quality` of what may be chosen. What nobody has said a quality of is left out."""
    max_input_cost: float | None = attrs.field(default=None, validator=_COST)
    """US dollars for a million tokens of input: models that cost more are not offered."""
    max_output_cost: float | None = attrs.field(default=None, validator=_COST)
    """US dollars per million tokens: targets that cost more, or nobody knows what, are left out."""
    max_latency: Milliseconds | None = attrs.field(default=None, validator=_POSITIVE, metadata=plausible(10, 3_600_000))
    """Of 95 calls of 100: targets that are known to take longer are left out."""
    budgets: Sequence[str] = attrs.field(default=(), validator=_no_blank)
    """Budgets and rates by name: where one has nothing left, what costs is left out."""
