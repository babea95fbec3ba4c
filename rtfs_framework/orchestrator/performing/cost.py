"""What a call cost: tokens times the configured prices. None is "not known", which is not the same as nothing."""

from __future__ import annotations

from rtfs_framework.api.provider import Usage
from rtfs_framework.api.targets import RemoteModel
from rtfs_framework.orchestrator.config.model import ProviderSpec

_MILLION = 1_000_000


def cost_of(usage: Usage, spec: ProviderSpec) -> float | None:
    """Return US dollars, None when they are not known: no price or no count of the tokens of a remote provider.

    What runs on this device is free unless its table says a price.
    """
    paid = isinstance(spec.target, RemoteModel)
    total = 0.0
    for tokens, price in ((usage.input_tokens, spec.input_cost), (usage.output_tokens, spec.output_cost)):
        if price == 0 or tokens == 0 or (price is None and not paid):
            continue
        if price is None or tokens is None:
            return None
        total += tokens * price
    return total / _MILLION
