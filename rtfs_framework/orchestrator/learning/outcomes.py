"""Outcomes: what rows of the journal, or records of a run without one, say of attempts and of ends of calls.

Answers from memory are no outcomes: nothing was tried. Nor are calls whose own body ran, that a rule denied, or that
were stopped. What an engine wrote into its plan (`note`, `propensity`) comes back, and the situation of the call
where it was noted; arguments never do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.api.attempts import FailureKind
from rtfs_framework.api.experience import Situation
from rtfs_framework.api.learning import Outcome
from rtfs_framework.api.targets import Capability, LocalModel, RemoteModel
from rtfs_framework.orchestrator.recording.journal.recorded import target_of

if TYPE_CHECKING:
    from rtfs_framework.api.plans import DelegationPlan
    from rtfs_framework.api.targets import ExecTarget
    from rtfs_framework.orchestrator.recording.records import CallRecord, Decision

_ASKED = (LocalModel, RemoteModel, Capability)
_SERVED = frozenset({"l2 hit", "similar hit", "in flight"})
"""What a record says of an answer from memory, or of an equal call."""
_STOPPED = frozenset({"SecurityViolation", "Cancelled", "JournalError"})
"""Errors that are no evidence of a target: it was not asked, or nobody waited for it."""
_KINDS = {kind.value: kind for kind in FailureKind}

PlanOf = Callable[[str], Mapping[str, Any]]
"""From the digest of a decision, or of a situation, to what it says."""


@attrs.frozen(slots=True)
class _Said:
    """What the engine that chose a target wrote for its own learning."""

    propensity: float | None = None
    note: str = ""


@attrs.frozen(slots=True)
class _Used:
    """What a call, or an attempt of it, took."""

    seconds: float
    cost: float | None
    input_tokens: int
    output_tokens: int

    def without(self, part: _Used) -> _Used:
        """Return what is left of a call's usage beside an attempt of it."""
        unknown = self.cost is None or part.cost is None
        return _Used(
            self.seconds,
            None if unknown else max(0.0, (self.cost or 0.0) - (part.cost or 0.0)),
            max(0, self.input_tokens - part.input_tokens),
            max(0, self.output_tokens - part.output_tokens),
        )


def of_row(body: Mapping[str, Any], plan_of: PlanOf) -> Iterator[Outcome]:
    """Yield the outcomes that the row of a call tells which is over."""
    symbol, at, place = str(body.get("symbol") or ""), _number(body.get("at")), _place(body, plan_of)
    used = _used(body, _number(body.get("took", body.get("micros"))) / 1e6)
    attempts = [each for each in body.get("attempts") or () if isinstance(each, dict)]
    for number, each in enumerate(attempts):
        tried = _used(each, _number(each.get("seconds")))
        used = used.without(tried)
        kind, target = _KINDS.get(str(each.get("kind"))), target_of(str(each.get("target") or ""))
        if kind is not None and isinstance(target, _ASKED):
            said = _said(plan_of(str(each.get("decision") or "")))
            made = _outcome(symbol, target, tried, said, attempt=number, at=at, kind=kind)
            yield attrs.evolve(made, situation=place)
    target = target_of(str(body.get("target") or ""))
    failed = _failure(body.get("outcome") == "value", str((body.get("error") or {}).get("kind") or ""), target)
    if body.get("cache") not in _SERVED and failed is not None:
        said = _said(plan_of(str(body.get("decision") or "")))
        made = _outcome(symbol, target, used, said, attempt=len(attempts), at=at, kind=failed[0])
        yield attrs.evolve(made, confidence=_number_or_none(body.get("confidence")), situation=place)


def of_feedback(body: Mapping[str, Any], plan_of: PlanOf) -> Iterator[Outcome]:
    """Yield the outcome that feedback is: that of the call which was rated, with what was said of it."""
    target, value = target_of(str(body.get("target") or "")), _number_or_none(body.get("value"))
    if value is None or not 0.0 <= value <= 1.0:
        return
    used, said = _used(body, _number(body.get("micros")) / 1e6), _said(plan_of(str(body.get("decision") or "")))
    kind = None if body.get("outcome") == "value" else FailureKind.HERE
    made = _outcome(str(body.get("symbol") or ""), target, used, said, attempt=0, at=_number(body.get("at")), kind=kind)
    yield attrs.evolve(made, feedback=value, situation=_place(body, plan_of))


def of_record(record: CallRecord, at: float) -> Iterator[Outcome]:
    """Yield the outcomes of a call that is over, where no journal is kept."""
    used = _Used(record.took or record.seconds, record.cost, record.input_tokens, record.output_tokens)
    for number, each in enumerate(record.attempts):
        tried = _Used(each.seconds, each.cost, each.input_tokens, each.output_tokens)
        used = used.without(tried)
        if isinstance(each.attempt.target, _ASKED):
            said, kind = _said_by(each.decision), each.attempt.kind
            made = _outcome(record.symbol, each.attempt.target, tried, said, attempt=number, at=at, kind=kind)
            yield attrs.evolve(made, situation=record.situation)
    target = target_of(record.target)
    failed = _failure(not record.error_kind and record.target != "local-pure", record.error_kind, target)
    if record.cache not in _SERVED and failed is not None:
        said = _said_by(record.decision)
        made = _outcome(record.symbol, target, used, said, attempt=len(record.attempts), at=at, kind=failed[0])
        yield attrs.evolve(made, confidence=record.confidence, situation=record.situation)


def rated(record: CallRecord, value: float, at: float) -> Outcome:
    """Return feedback about a call, where no journal is kept."""
    used = _Used(record.seconds, record.cost, record.input_tokens, record.output_tokens)
    kind = FailureKind.HERE if record.error_kind else None
    said = _said_by(record.decision)
    made = _outcome(record.symbol, target_of(record.target), used, said, attempt=0, at=at, kind=kind)
    return attrs.evolve(made, feedback=value, situation=record.situation)


def _failure(answered: bool, error: str, target: ExecTarget) -> tuple[FailureKind | None] | None:
    """Return what an end is evidence of, in a tuple; None where it is no outcome.

    A model that failed is among the attempts; only of a capability does the end itself say so.
    """
    if not isinstance(target, _ASKED):
        return None
    if answered:
        return (None,)
    return (FailureKind.HERE,) if isinstance(target, Capability) and error not in _STOPPED else None


def _outcome(
    symbol: str, target: ExecTarget, used: _Used, said: _Said, *, attempt: int, at: float, kind: FailureKind | None
) -> Outcome:
    return Outcome(
        symbol=symbol,
        target=target,
        success=kind is None,
        kind=kind,
        seconds=used.seconds,
        cost=used.cost,
        input_tokens=used.input_tokens,
        output_tokens=used.output_tokens,
        propensity=said.propensity,
        note=said.note,
        attempt=attempt,
        at=at,
    )


def _place(body: Mapping[str, Any], plan_of: PlanOf) -> Situation | None:
    """Return the situation that a row names; None in rows of older versions, and where none was noted."""
    digest = body.get("situation")
    if not isinstance(digest, str):
        return None
    try:
        return Situation.of_json(plan_of(digest))
    except ValueError:
        return None


def _said(plan: Mapping[str, Any]) -> _Said:
    """Return what a decision of the journal says; of the second of two requests at once nobody drew the target."""
    share = None if "hedge_of" in (plan.get("parts") or ()) else _number_or_none(plan.get("propensity"))
    return _Said(share, str(plan.get("note") or ""))


def _said_by(decision: Decision | None) -> _Said:
    if decision is None:
        return _Said()
    plan: DelegationPlan = decision.plan
    return _Said(None if decision.hedge_of is not None else plan.propensity, plan.note)


def _used(body: Mapping[str, Any], seconds: float) -> _Used:
    cost = body.get("cost", 0.0)
    tokens = (int(_number(body.get(name))) for name in ("input_tokens", "output_tokens"))
    return _Used(seconds, None if cost is None else _number(cost), *tokens)


def _number(found: Any) -> float:
    return float(found) if isinstance(found, int | float) else 0.0


def _number_or_none(found: Any) -> float | None:
    return float(found) if isinstance(found, int | float) else None
