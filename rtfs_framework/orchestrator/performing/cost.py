"""What a call cost: tokens times prices. None is "not known", which is not the same as nothing."""

from __future__ import annotations

from rtfs_framework.api.errors import ProviderError
from rtfs_framework.api.provider import Usage
from rtfs_framework.api.targets import RemoteModel
from rtfs_framework.orchestrator.config.model import ProviderSpec

_MILLION = 1_000_000
_UNBILLED = frozenset({401, 403, 404, 405, 407, 413, 415, 421})
_Rates = tuple[float | None, float | None, float | None]


def cost_of(usage: Usage, spec: ProviderSpec) -> float | None:
    """Return US dollars, None when they are not known: no price or no count of the tokens of a remote provider.

    What runs on this device is free unless its table says a price. Of cached tokens only those count as such that the
    server told. Where no price is configured, what the server says that the request cost is believed.
    """
    if usage.cost is not None and spec.input_cost is None and spec.output_cost is None:
        return usage.cost + spec.request_cost
    paid = isinstance(spec.target, RemoteModel)
    input_cost, output_cost, cached_cost = rates(spec, usage.input_tokens or 0)
    cached = min(usage.cached_tokens or 0, usage.input_tokens or 0) if cached_cost is not None else 0
    fresh = None if usage.input_tokens is None else usage.input_tokens - cached
    total = 0.0
    for tokens, price in ((fresh, input_cost), (cached, cached_cost), (usage.output_tokens, output_cost)):
        if price == 0 or tokens == 0 or (price is None and not paid):
            continue
        if price is None or tokens is None:
            return None
        total += tokens * price
    sent = usage.input_tokens != 0
    return total / _MILLION + (spec.request_cost if sent else 0.0)


def usage_of(error: BaseException | None) -> Usage | None:
    """Return what a failed request took, None where that is not known.

    A server that does not know the key, the model or the way to ask has looked at no token: vendors bill none of that.
    (A 400 may be a content filter's, and that one is billed by some.)
    """
    if not isinstance(error, ProviderError):
        return None
    return Usage(0, 0) if error.usage is None and error.status in _UNBILLED else error.usage


def rates(spec: ProviderSpec, input_tokens: int) -> _Rates:
    """Return the prices of a request with so many input tokens: of input, output and cached input."""
    fresh, output, cached = spec.input_cost, spec.output_cost, spec.cached_cost
    for step in spec.price_steps:
        if input_tokens > step.above:
            fresh = fresh if step.input is None else step.input
            output = output if step.output is None else step.output
            cached = cached if step.cached is None else step.cached
    return fresh, output, cached
