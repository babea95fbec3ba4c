"""A bounded measurement of one model: the first call, warm calls, tokens per second in and out, and what it cost.

In: a provider instance. Out: seconds and rates. Each request passes rules, guards, rates and budgets like any and
stands in the journal; none is answered from memory, for nothing here looks there. When the time is over the rest is
left out, and what was measured stays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from statistics import median
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.api.provider import InferenceRequest, Message
from rtfs_framework.lang.signature import FunctionSignature
from rtfs_framework.orchestrator.performing.budgets.estimate import bound_of, prices_of
from rtfs_framework.orchestrator.recording.journal.fault import JournalError

if TYPE_CHECKING:
    from rtfs_framework.api.values import Clock
    from rtfs_framework.lang.errors import ProgramError
    from rtfs_framework.orchestrator.performing.models import Models
    from rtfs_framework.orchestrator.performing.own_calls import OwnCalls
    from rtfs_framework.orchestrator.performing.providers import ProviderInstance

SYMBOL = "delegate/bench"
"""In whose name models are measured."""
WARM = 5
_SHORT, _LONG = 8, 64
"""Tokens of a short reply, and of a long one."""
_NANO = 1e9
_WORDS = (
    "The parcel arrived on Tuesday, the invoice a day later, and nobody in the office could say which of the two "
    "orders it belonged to; the customer had asked twice, in writing and by telephone, and wanted an answer soon."
)
_TIMES = 8
"""How often they stand in the long prompt: some 320 tokens."""


@attrs.frozen(slots=True)
class Step:
    """One request of a measurement."""

    name: str
    words: str
    most_tokens: int


def steps() -> Iterator[Step]:
    """Return the requests in their order. No two begin alike, so none has a prefix that is remembered."""
    yield Step("first", "Answer with the word: ready.", _SHORT)
    for number in range(WARM):
        yield Step("warm", f"Request {number + 1}: answer with the word: ready.", _SHORT)
    yield Step("output", "Tell a long story of a lighthouse, with many details.", _LONG)
    yield Step("input", f"Read this, then answer with one word. {' '.join([_WORDS] * _TIMES)}", 1)


@attrs.frozen(slots=True)
class Measured:
    """What one request took."""

    name: str
    seconds: float
    input_tokens: int | None
    output_tokens: int | None
    cost: float | None


@attrs.define(slots=True, kw_only=True)
class Measurement:
    """What is known of a model when it is over. What could not be measured is None."""

    target: str
    model: str = ""
    requests: int = 0
    first: float | None = None
    """Seconds until the first answer, with all that is made and loaded before it."""
    warm: float | None = None
    """Seconds of the median of the calls after it."""
    input_rate: float | None = None
    """Tokens per second that it takes in."""
    output_rate: float | None = None
    """Tokens per second that it writes."""
    cost: float | None = 0.0
    """US dollars of all requests; None where they are not known."""
    ended: str = ""
    """Why it ended early; "" when it did not."""
    failed: ProgramError | None = attrs.field(default=None, repr=False)

    def plain(self) -> dict[str, Any]:
        """Return it as JSON-ready data."""
        plain = {field.name: getattr(self, field.name) for field in attrs.fields(type(self))}
        return {**plain, "failed": None if self.failed is None else self.failed.value.message}


def most_cost(instance: ProviderInstance) -> float | None:
    """Return what a measurement costs at most, in US dollars; None where nobody knows the prices."""
    prices = prices_of(instance.spec)
    if prices is None:
        return None
    nano = sum(bound_of(_request(step, 1.0), prices, step.most_tokens).amount.nano for step in steps())
    return nano / _NANO


@attrs.frozen(slots=True, eq=False, kw_only=True)
class Bench:
    """Measures the models of one host."""

    models: Models
    calls: OwnCalls
    clock: Clock
    tell: Callable[[int], None] = lambda _: None
    """Told how many requests were answered."""

    async def measure(self, instance: ProviderInstance, target: str, seconds: float) -> Measurement:
        """Return what could be measured within so many seconds."""
        began = self.clock.monotonic()
        found: list[Measured] = []
        made = Measurement(target=target)
        for step in steps():
            left = seconds - (self.clock.monotonic() - began)
            if left <= 0:
                made.ended = f"its {seconds:g} s were over"
                break
            timeout = min(instance.spec.timeout, left)
            one = await self._one(instance, step, timeout, made)
            if one is None:
                over = self.clock.monotonic() - began >= seconds
                made.ended = f"its {seconds:g} s were over" if over else "a request failed"
                break
            found.append(one)
            self.tell(len(found))
        return _summed(made, found)

    async def _one(self, instance: ProviderInstance, step: Step, timeout: float, made: Measurement) -> Measured | None:
        """Send a request; None after one that failed, which is noted."""
        opened = self.calls.next(instance.target, step.words, self.clock.monotonic())
        sent = self.clock.monotonic()
        try:
            reply = await self.models.sender.send(opened, instance, _request(step, timeout), consultation=True)
            took = self.clock.monotonic() - sent
            opened.record.model = made.model = reply.model or instance.spec.model
            opened.close(self.clock.monotonic(), reply.text or "", answered=True)
            await opened.written()
        except JournalError as error:
            opened.abandon(self.clock.monotonic(), error)
            raise
        except Exception as error:  # noqa: BLE001 - it is written down, and ends the measurement
            made.failed = self.models.failed(error, instance).error
            opened.close(self.clock.monotonic(), error=made.failed)
            return None
        except BaseException as error:
            opened.abandon(self.clock.monotonic(), error)
            raise
        usage = reply.usage
        return Measured(step.name, took, usage.input_tokens, usage.output_tokens, opened.record.cost)


def _request(step: Step, timeout: float) -> InferenceRequest:
    return InferenceRequest(
        function=FunctionSignature(SYMBOL),
        args=(step.words,),
        messages=(Message("user", step.words),),
        timeout=timeout,
        max_tokens=step.most_tokens,
    )


def _summed(made: Measurement, found: list[Measured]) -> Measurement:
    by_name = {name: [each for each in found if each.name == name] for name in ("first", "warm", "output", "input")}
    made.requests = len(found)
    made.first = by_name["first"][0].seconds if by_name["first"] else None
    made.warm = median(each.seconds for each in by_name["warm"]) if by_name["warm"] else None
    for long in by_name["output"]:
        made.output_rate = _rate(long.output_tokens, long.seconds)
    for long in by_name["input"]:
        made.input_rate = _rate(long.input_tokens, long.seconds)
    costs = [each.cost for each in found]
    made.cost = None if None in costs else sum(cost for cost in costs if cost is not None)
    return made


def _rate(tokens: int | None, seconds: float) -> float | None:
    return tokens / seconds if tokens and seconds > 0 else None
