"""What is stated of a call, and which targets keep it. Code decides this, never a model.

In: settings, the facts that are said of a call. Out: for each target why it is left out, None where it is not.

Facts that bound (`^{:max-output-cost 2.0}`, or said by the host or around the call) only narrow: the lower ceiling and
the higher floor count. One that cannot be read stops the decision, because nobody could say whether it is kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs

from rtfs_engine_llm.settings import LlmSettings
from rtfs_framework.api import CallContext, Candidate, ExecTarget, Left, LocalModel, LocalPure, RemoteModel

_SECOND = 1000.0


@attrs.frozen(slots=True, kw_only=True)
class Bounds:
    """What a target must keep."""

    max_input_cost: float | None = None
    max_output_cost: float | None = None
    max_latency: float | None = None
    """Milliseconds."""
    quality_floor: float = 0.0
    local: bool = False
    """Whether the call may not leave this device."""
    budgets: Sequence[str] = ()

    @classmethod
    def of(cls, own: LlmSettings, facts: Mapping[str, str]) -> Bounds:
        """Return what settings and facts say together.

        Raises:
            ValueError: A fact bounds, and cannot be read.
        """
        return cls(
            max_input_cost=_lower(own.max_input_cost, _number(facts, "max-input-cost")),
            max_output_cost=_lower(own.max_output_cost, _number(facts, "max-output-cost")),
            max_latency=_lower(own.max_latency, _number(facts, "max-latency")),
            quality_floor=max(own.quality_floor, _number(facts, "min-quality") or 0.0),
            local=_is_local(facts),
            budgets=tuple(own.budgets),
        )

    def why_not(self, target: ExecTarget, known: Candidate | None, context: CallContext) -> str | None:
        """Return why a target is left out, None when it may be chosen."""
        if isinstance(target, LocalPure):
            return "nobody knows its quality" if self.quality_floor > 0 else None
        if known is None:
            return "it cannot be used here"
        labels = context.labels
        if known.accepts is not None and not labels <= known.accepts:
            return f"it does not accept {', '.join(sorted(labels - known.accepts))}"
        if self.local and not isinstance(target, LocalModel):
            return "the call may not leave this device"
        return self._too_weak(known, context) or self._too_dear(target, context) or self._unwell(target, context)

    def _too_weak(self, known: Candidate, context: CallContext) -> str | None:
        if self.quality_floor > 0 and (known.quality is None or known.quality < self.quality_floor):
            return f"its quality is {known.quality}, and {self.quality_floor:g} is the least"
        if known.context_window is not None and context.size > known.context_window:
            return f"the request has up to {context.size:,} tokens, and it takes {known.context_window:,}"
        return None

    def _too_dear(self, target: ExecTarget, context: CallContext) -> str | None:
        if self.max_input_cost is None and self.max_output_cost is None and not self.budgets:
            return None
        price = context.price(target)
        free = 0.0 if isinstance(target, LocalModel) else None  # on this device: nothing, unless somebody priced it
        costs = [free if each is None else each for each in (price.input, price.output)]
        for most, cost in zip((self.max_input_cost, self.max_output_cost), costs, strict=True):
            if most is not None and (cost is None or cost > most):
                return f"it costs {'nobody knows what' if cost is None else f'{cost:g}'}, and {most:g} is the most"
        if costs == [0.0, 0.0]:
            return None
        empty = [each for each in self.budgets if Left.NOTHING in (context.budget(each), context.rate(each))]
        return f"nothing is left of '{empty[0]}'" if empty else None

    def _unwell(self, target: ExecTarget, context: CallContext) -> str | None:
        health = context.health(target)
        if not health.passes:
            return f"its breaker is {health.value}"
        latency = None if self.max_latency is None else context.latency(target)
        if self.max_latency is None or latency is None or latency.p95 * _SECOND <= self.max_latency:
            return None
        return f"it takes up to {latency.p95:g} s, and {self.max_latency / _SECOND:g} s is the most"


def is_model(target: ExecTarget) -> bool:
    """Tell whether a target is a model."""
    return isinstance(target, LocalModel | RemoteModel)


def _lower(first: float | None, second: float | None) -> float | None:
    return min((each for each in (first, second) if each is not None), default=None)


def _number(facts: Mapping[str, str], name: str) -> float | None:
    text = facts.get(name)
    if text is None:
        return None
    try:
        found = float(text)
    except ValueError:
        found = -1.0
    if not 0.0 <= found < float("inf"):
        raise ValueError(f"the call says {name} = {text!r:.40}, and that is no number from 0 on")
    return found


def _is_local(facts: Mapping[str, str]) -> bool:
    said = facts.get("locality", "any")
    if said not in ("any", "local", "remote"):
        raise ValueError(f"the call says locality = {said!r:.40}, and that is none of local, remote, any")
    return said == "local"
