"""A dispatcher that asks nobody: decides as ever, counts what would be asked, and answers with stand-ins.

In: the calls of a program that runs. Out: stand-ins, and a `Tried` that holds what each call site would ask. It never
looks at a provider's client, performs no capability, tells no observer and writes no journal. Each variant of stand-ins
makes a run of its own; together they bound how often sites are reached.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import attrs

from rtfs_framework.api.provider import Usage
from rtfs_framework.api.targets import Ask, Deny, ExecTarget, LocalModel, LocalPure, RemoteModel, show_target
from rtfs_framework.kernel.call_kind import CallKind
from rtfs_framework.kernel.outcome import HostCall
from rtfs_framework.lang.digest import digest
from rtfs_framework.lang.errors import ProgramError
from rtfs_framework.lang.signature import FunctionSignature
from rtfs_framework.lang.types.names import Lookup
from rtfs_framework.orchestrator.boundary.answers import Answer, Locally, Reply, Throw, Waiting
from rtfs_framework.orchestrator.boundary.purity import is_plain
from rtfs_framework.orchestrator.config.model import ProviderSpec
from rtfs_framework.orchestrator.deciding.known import Undecided
from rtfs_framework.orchestrator.explaining.estimating.stand_in import NONE, stand_in
from rtfs_framework.orchestrator.explaining.estimating.tokens import (
    NOTHING,
    Span,
    is_bounded,
    of_reply,
    of_request,
    of_text,
)
from rtfs_framework.orchestrator.performing.again import Again
from rtfs_framework.orchestrator.performing.cost import cost_of
from rtfs_framework.orchestrator.performing.dispatch import Dispatcher
from rtfs_framework.orchestrator.performing.prompt import build_request
from rtfs_framework.orchestrator.performing.providers import ProviderInstance
from rtfs_framework.orchestrator.recording.run_scope import RunScope

Site = tuple[str, str, str]
"""Function, place and target of a call."""


@attrs.define(slots=True)
class Tried:
    """What one call site would ask of one target, in one run of the program with all its inputs."""

    source: str = ""
    reasoning: str = ""
    spec: ProviderSpec | None = None
    calls: int = 0
    repeated: int = 0
    """Of these, calls that equal an earlier one and whose reply may be reused: they cost nothing."""
    input: Span = NOTHING
    output: Span = NOTHING
    cost: Span | None = NOTHING
    """US dollars; None when they are not known."""
    notes: dict[str, None] = attrs.field(factory=dict)


@attrs.define(slots=True, eq=False)
class Trial:
    """One run of the program: which stand-ins it gets, and what was counted."""

    variant: int
    reuse: bool
    """Whether replies are remembered."""
    most: int
    """Tokens that a reply has at most where nothing else bounds it."""
    sites: dict[Site, Tried] = attrs.field(factory=dict)
    notes: dict[str, None] = attrs.field(factory=dict)
    """Of the whole: what is not known."""
    _seen: set[str] = attrs.field(factory=set)

    def at(self, call: HostCall, target: str) -> Tried:
        """Return what is counted of a call's site and target."""
        name = call.capability if call.function is None else call.function.name
        return self.sites.setdefault((name, str(call.place or ""), target), Tried())

    def is_repeated(self, instance: ProviderInstance, call: HostCall, function: FunctionSignature) -> bool:
        """Tell whether an equal call was made before whose reply is reused."""
        if not (self.reuse and instance.reusable and is_plain(call.args)):
            return False
        key = f"{show_target(instance.target)} {function.name} {function.body_digest} {digest(*call.args)}"
        known = key in self._seen
        self._seen.add(key)
        return known


@attrs.frozen(slots=True, eq=False, kw_only=True)
class DryDispatcher(Dispatcher):
    """Answers without asking."""

    trial: Trial

    def answer(self, call: HostCall, scope: RunScope, again: Again | None = None) -> Answer | Waiting:  # noqa: ARG002
        """Return a stand-in for the answer to a call."""
        match call.kind:
            case CallKind.DELEGATED:
                return self._delegated(call, scope.lookup)
            case CallKind.CAPABILITY:
                return self._capability(call, scope.lookup)
            case CallKind.CONTEXT_GET | CallKind.CONTEXT_SET:
                return Dispatcher.answer(self, call, scope)
        return Reply(None)

    def _capability(self, call: HostCall, lookup: Lookup) -> Answer:
        name = call.capability
        entry = self.capabilities.entries.get(name)
        self.trial.notes[f"capability {name} is not performed: what follows from its answer is not known"] = None
        found = stand_in(None if entry is None else entry.returns, lookup, self.trial.variant)
        return Reply(None if found is NONE else found)

    def _delegated(self, call: HostCall, lookup: Lookup) -> Answer:
        function = call.function or FunctionSignature(call.capability)
        decision = self.delegator.preview(call)
        if isinstance(decision, Undecided):
            return self._undecided(call, function, decision, lookup)
        plan = decision.plan
        tried = self.trial.at(call, show_target(plan.target))
        tried.source, tried.reasoning = plan.source.value, plan.reasoning
        target = plan.target
        if isinstance(target, Ask):
            tried.notes[f"{target.approver or 'somebody'} must say yes to each"] = None
            target = target.then
        match target:
            case LocalModel() | RemoteModel():
                instance = self.pool.get(target)
                if instance is not None:
                    self._count(tried, instance, call, function, lookup)
                return self._stand_in(tried, function, lookup)
            case LocalPure():
                tried.calls += 1
                return Locally()
            case Deny(reason=reason):
                tried.calls += 1
                return Throw(ProgramError("SecurityViolation", f"Security violation: {reason}"))
        tried.notes["what answers such a target is not known"] = None
        tried.calls += 1
        return self._stand_in(tried, function, lookup)

    def _stand_in(self, tried: Tried, function: FunctionSignature, lookup: Lookup) -> Answer:
        found = stand_in(function.returns, lookup, self.trial.variant)
        if found is NONE:
            tried.notes["its own body stands in for the answer, and what that calls is counted too"] = None
            return Locally()
        return Reply(found)

    def _count(
        self, tried: Tried, instance: ProviderInstance, call: HostCall, function: FunctionSignature, lookup: Lookup
    ) -> None:
        """Count a request to a model."""
        spec = tried.spec = instance.spec
        tried.calls += 1
        why = self.pool.unusable(instance.target)
        if why is not None:
            tried.notes[f"not usable now: {why}"] = None
        if self.trial.is_repeated(instance, call, function):
            tried.repeated += 1
            return
        request = build_request(function, call.args, lookup, timeout=spec.timeout, hints=call.hints)
        asked = of_request(request)
        most = getattr(spec.own, "max_tokens", None) or self.trial.most
        answered = of_reply(function.returns, most)
        if spec.context_window is not None and asked.low > spec.context_window:
            tried.notes[f"some requests do not fit its context window of {spec.context_window:,} tokens"] = None
        if not is_bounded(function.returns) and getattr(spec.own, "max_tokens", None) is None:
            self.trial.notes[_unbounded(self.trial.most)] = None
        _add(tried, asked, answered, spec)

    def _undecided(self, call: HostCall, function: FunctionSignature, asked: Undecided, lookup: Lookup) -> Answer:
        """Count a call about which an engine wants to hear a model first: the question, and the dearest answer."""
        target = asked.question.target
        consulted = self.pool.get(target)
        if consulted is not None:
            tried = self.trial.at(call, show_target(target))
            tried.source, tried.reasoning, tried.spec = "engine", "asked before the decision", consulted.spec
            tried.calls += 1
            said = NOTHING if asked.question.wants_vectors else of_reply(None, self.trial.most)
            _add(tried, of_text(asked.question.text), said, consulted.spec)
        tried = self.trial.at(call, f"what {show_target(target)} says")
        tried.source, tried.reasoning = "engine", f"the engine consults {show_target(target)} first"
        tried.calls += 1
        request = build_request(function, call.args, lookup, timeout=0.0, hints=call.hints)
        asked_for = of_request(request)
        tried.input += Span(0, asked_for.high)
        answered = of_reply(function.returns, self.trial.most)
        tried.output += Span(0, answered.high)
        costs = [_cost(asked_for.high, answered.high, each) for each in self._possible()]
        known = [each for each in costs if each is not None]
        tried.cost = _sum(tried.cost, Span(0.0, max(known, default=0.0)) if len(known) == len(costs) else None)
        return self._stand_in(tried, function, lookup)

    def _possible(self) -> list[ProviderSpec]:
        beyond: Callable[[ExecTarget], str | None] = self.capabilities.security.validate_execution_context
        found: Mapping[Any, ProviderInstance] = self.pool.instances
        return [
            each.spec for target, each in found.items() if self.pool.unusable(target) is None and beyond(target) is None
        ]


def _add(tried: Tried, asked: Span, answered: Span, spec: ProviderSpec) -> None:
    """Add a request and its answer."""
    tried.input += asked
    tried.output += answered
    low, high = _cost(asked.low, answered.low, spec), _cost(asked.high, answered.high, spec)
    tried.cost = _sum(tried.cost, None if low is None or high is None else Span(low, high))


def _cost(asked: float, answered: float, spec: ProviderSpec) -> float | None:
    return cost_of(Usage(int(asked), int(answered)), spec)


def _sum(one: Span | None, other: Span | None) -> Span | None:
    return None if one is None or other is None else one + other


def _unbounded(most: int) -> str:
    return (
        f"replies whose type bounds no length are counted with at most {most:,} tokens ([ledger] max_tokens); "
        "only `max_tokens` of the provider, or a budget, makes that sure"
    )
