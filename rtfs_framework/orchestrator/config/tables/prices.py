"""`[prices]`: what models cost, by "MODEL" or "PROVIDER/MODEL"; it goes before an installed list of prices."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import attrs
from attrs import validators

from rtfs_framework.orchestrator.config.model import ProviderSpec

_PRICE: Any = validators.optional([validators.ge(0.0), validators.lt(float("inf"))])


@attrs.frozen(slots=True, kw_only=True)
class PriceTable:
    """`[prices."MODEL"]`: US dollars per million tokens, and the tokens that the model takes in at once."""

    input: float | None = attrs.field(default=None, validator=_PRICE)
    """US dollars for a million tokens of input."""
    output: float | None = attrs.field(default=None, validator=_PRICE)
    """US dollars for a million tokens of output."""
    cached: float | None = attrs.field(default=None, validator=_PRICE)
    """US dollars for a million tokens of input that the vendor still remembers."""
    context: int | None = attrs.field(default=None, validator=validators.optional(validators.gt(0)))
    """Tokens that the model takes in at once."""


def priced(spec: ProviderSpec, prices: Mapping[str, PriceTable]) -> ProviderSpec:
    """Return a provider with what `[prices]` says of its model, where its own table says nothing."""
    for name in names(spec):
        table = prices.get(name)
        if table is not None:
            return attrs.evolve(
                spec,
                input_cost=table.input if spec.input_cost is None else spec.input_cost,
                output_cost=table.output if spec.output_cost is None else spec.output_cost,
                cached_cost=table.cached,
                context_window=table.context,
            )
    return spec


def names(spec: ProviderSpec) -> Iterator[str]:
    """Yield the names under which `[prices]` may speak of a provider's model, the closest first."""
    model = spec.model or spec.id
    yield f"{spec.id}/{model}"
    yield f"{spec.plugin}/{model}"
    yield model
