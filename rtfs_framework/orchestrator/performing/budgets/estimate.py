"""What a request can take at most, and what it took.

In: a request with a bound on its reply, and a provider's prices. Out: whole numbers. No tokenizer makes more tokens of
a text than it has bytes, so the bytes count as tokens, with some more for what providers put around messages.
"""

from __future__ import annotations

import json
from math import inf
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.api.attempts import FailureKind
from rtfs_framework.api.provider import Usage, token_count
from rtfs_framework.api.targets import RemoteModel
from rtfs_framework.orchestrator.performing.budgets.amounts import Amount, nano_of, pico_per_token, price_of
from rtfs_framework.orchestrator.performing.cost import cost_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from rtfs_framework.api.provider import ChatRequest, InferenceRequest
    from rtfs_framework.orchestrator.config.model import ProviderSpec
    from rtfs_framework.orchestrator.performing.gate import Outcome

_AROUND_REQUEST, _AROUND_MESSAGE, _AROUND_SCHEMA = 64, 16, 256
"""Tokens that vendors add: special tokens, roles, and how a schema is put to the model."""
_OTHER_PART = 40_000
"""Tokens of a part of a message that is no text: an image by its address may count as so many."""


@attrs.frozen(slots=True)
class Prices:
    """Whole pico-dollars per token; nano-dollars per request."""

    input: int = 0
    output: int = 0
    request: int = 0

    def cost(self, input_tokens: int, output_tokens: int) -> int:
        """Return nano-dollars, rounded up."""
        return self.request + price_of(input_tokens, self.input) + price_of(output_tokens, self.output)


FREE = Prices()


def prices_of(spec: ProviderSpec) -> Prices | None:
    """Return the highest prices that a provider may ask, whatever the size of a request; None when they are not known.

    What runs on this device is free unless its table says a price.
    """
    remote = isinstance(spec.target, RemoteModel)
    if remote and (spec.input_cost is None or spec.output_cost is None):
        return None
    inputs = [
        spec.input_cost,
        spec.cached_cost,
        *(cost for step in spec.price_steps for cost in (step.input, step.cached)),
    ]
    outputs = [spec.output_cost, *(step.output for step in spec.price_steps)]
    return Prices(_highest(inputs), _highest(outputs), nano_of(spec.request_cost))


def _highest(prices: Iterable[float | None]) -> int:
    return max(pico_per_token(price or 0.0) for price in prices)


def dearest(specs: Iterable[ProviderSpec]) -> Prices | None:
    """Return prices that are at least as high as all that are known; None when none are."""
    known = [found for found in map(prices_of, specs) if found is not None and found != FREE]
    if not known:
        return None
    return Prices(*(max(getattr(each, key) for each in known) for key in ("input", "output", "request")))


@attrs.frozen(slots=True, kw_only=True)
class Bound:
    """At most what a request takes."""

    input_tokens: int
    output_tokens: int
    prices: Prices

    @property
    def amount(self) -> Amount:
        """Everything that is counted."""
        nano = self.prices.cost(self.input_tokens, self.output_tokens)
        return Amount(nano, self.input_tokens + self.output_tokens, 1)

    def took(self, usage: Usage | None, spec: ProviderSpec) -> Amount:
        """Return what an answer took; what nobody says counts at its bound."""
        told = Usage() if usage is None else usage
        usage = Usage(*map(token_count, (told.input_tokens, told.output_tokens, told.cached_tokens)))
        given, got = usage.input_tokens, usage.output_tokens
        counted = given is not None and got is not None
        given = self.input_tokens if given is None else given
        got = self.output_tokens if got is None else got
        dollars = cost_of(usage, spec) if counted else None
        nano = self.prices.cost(given, got) if dollars is None or dollars == inf else nano_of(dollars)
        if given <= self.input_tokens and got <= self.output_tokens:
            nano = min(nano, self.amount.nano)  # the last digit of a float may lie above
        return Amount(nano, given + got, 1)

    def after(self, outcome: Outcome, spec: ProviderSpec) -> Amount | None:
        """Return what a request took; None where it was not sent, or nothing was done for it."""
        untold, nothing = outcome.usage is None, outcome.usage is not None and _is_nothing(outcome.usage)
        if not outcome.sent or (outcome.failure is FailureKind.SAFE and (untold or nothing)):
            return None
        if outcome.failure is FailureKind.HERE and nothing:  # declined, no key, no such model: not even a call
            return None
        return self.refused() if outcome.failure is FailureKind.HERE and untold else self.took(outcome.usage, spec)

    def refused(self) -> Amount:
        """Return what a request may take that the provider read and refused: its input."""
        return Amount(self.prices.cost(self.input_tokens, 0), self.input_tokens, 1)


def _is_nothing(usage: Usage) -> bool:
    """Tell whether it is known that nothing was used."""
    return (usage.input_tokens, usage.output_tokens) == (0, 0) and not usage.cost


def bound_of(request: InferenceRequest, prices: Prices, most_reply: int) -> Bound:
    """Return the bound of a request; `most_reply` is of a reply for which the request itself has no bound."""
    text = _AROUND_REQUEST
    for message in request.messages:
        text += _AROUND_MESSAGE + _bytes(message.content)
    if request.schema is not None:
        text += _AROUND_SCHEMA + _bytes(json.dumps(request.schema, ensure_ascii=False, default=str))
    if request.chat is not None:
        text += _beside_text(request.chat)
    reply = most_reply if request.max_tokens is None else request.max_tokens
    return Bound(input_tokens=text, output_tokens=reply, prices=prices)


def _beside_text(chat: ChatRequest) -> int:
    """Return what a conversation may take besides the text of its messages: tools, calls of them, images, names."""
    parts = [part for message in chat.messages for part in _content_parts(message)]
    others = len([part for part in parts if part.get("type") != "text"])
    said = [chat.messages, chat.tools, chat.tool_choice, chat.stop, chat.extra]
    return _OTHER_PART * others + _AROUND_SCHEMA + _bytes(json.dumps(said, ensure_ascii=False, default=dict))


def _content_parts(message: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the parts of a message's content, where it is written as parts."""
    content = message.get("content")
    return [part for part in content if isinstance(part, dict)] if isinstance(content, list) else []


def _bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
