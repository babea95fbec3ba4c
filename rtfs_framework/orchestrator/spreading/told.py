"""What workers tell of the calls and errors of their records, as JSON and back.

A call comes back with its id, its plan and what it used: all that its row in the journal says, but for what the engine
read and weighed. That stays with the worker, so such a decision cannot be made again (`rtfs runs replay` says so).
"""

from __future__ import annotations

from typing import Any

import attrs

from rtfs_framework.api.plans import DelegationPlan, PlanSource
from rtfs_framework.api.remote import RemoteRun
from rtfs_framework.api.targets import Deny, ExecTarget, show_target
from rtfs_framework.lang.source import Place
from rtfs_framework.lang.values import ErrorValue
from rtfs_framework.orchestrator.boundary.exact import from_text, to_text
from rtfs_framework.orchestrator.recording.attempts import AttemptRecord
from rtfs_framework.orchestrator.recording.journal.recorded import attempt_of, target_of
from rtfs_framework.orchestrator.recording.records import CallRecord, Decision, attempt_json

_AS_IT_IS = (
    "index", "kind", "symbol", "record", "target", "args_digest", "reply_digest", "seconds", "input_tokens",
    "output_tokens", "cost", "cache", "model", "explanation", "error_kind", "error", "code", "entry", "part",
    "said_around", "took", "confidence",
)  # fmt: skip
"""Fields of a record that JSON holds as they are."""
_DEFAULTS = {field.name: field.default for field in attrs.fields(CallRecord)}
_DENIED = "denied"


def call_told(record: CallRecord) -> dict[str, Any]:
    """Return a call as JSON-ready data; fields that say nothing are left out."""
    said = ((name, getattr(record, name)) for name in _AS_IT_IS)
    told: dict[str, Any] = {name: value for name, value in said if value != _DEFAULTS[name]}
    if record.branch:
        told["branch"] = record.branch
    if record.place is not None:
        told["place"] = attrs.astuple(record.place)
    if record.decision is not None:
        told["decision"] = _decision_told(record.decision)
    if record.attempts:
        told["attempts"] = [attempt_json(each) for each in record.attempts]
    if record.remote is not None:
        told["remote"] = record.remote.to_json()
    return told


def call_of(told: dict[str, Any]) -> CallRecord:
    """Return the call that was told of.

    Raises:
        ValueError, KeyError, TypeError: Nothing like it was told.
    """
    place, decision, remote = told.get("place"), told.get("decision"), told.get("remote")
    return CallRecord(
        **{"index": 0, **{name: told[name] for name in _AS_IT_IS if name in told}},
        branch=tuple(map(int, told.get("branch", ()))),
        place=None if place is None else Place(*place),
        decision=None if decision is None else _decision_of(decision),
        attempts=tuple(map(_attempt_of, told.get("attempts", ()))),
        remote=None if remote is None else RemoteRun(**remote),
    )


def error_told(error: ErrorValue) -> dict[str, Any]:
    """Return an error as JSON-ready data; what it carries that is no plain data is left out."""
    return {
        "kind": error.kind,
        "message": error.message,
        "data": to_text(error.data),
        "span": error.span,
        "stack": error.stack,
        "cause": None if error.cause is None else error_told(error.cause),
        "of_host": error.of_host,
    }


def error_of(told: dict[str, Any]) -> ErrorValue:
    """Return the error that was told of."""
    return ErrorValue(
        told["kind"],
        told["message"],
        None if told["data"] is None else from_text(told["data"]),
        told["span"],
        tuple(told["stack"]),
        None if told["cause"] is None else error_of(told["cause"]),
        told["of_host"],
    )


def _decision_told(decision: Decision) -> dict[str, Any]:
    plan = decision.plan
    return {
        "target": show_target(plan.target),
        "source": plan.source.value,
        "engine": plan.engine,
        "confidence": plan.confidence,
        "reasoning": plan.reasoning,
        "context": plan.context,
        "created_at": plan.created_at,
        "steps": decision.steps,
        "cache": decision.cache,
        "path": decision.path,
        "exhausted": decision.exhausted,
    }


def _decision_of(told: dict[str, Any]) -> Decision:
    plan = DelegationPlan(
        target=_target_of(told["target"]),
        confidence=told["confidence"],
        reasoning=told["reasoning"],
        source=PlanSource(told["source"]),
        engine=told["engine"],
        context=_pairs(told["context"]),
        created_at=told["created_at"],
    )
    steps, path = _pairs(told["steps"]), tuple(told["path"])
    return Decision(plan, steps, told["cache"], path=path, exhausted=told["exhausted"])


def _target_of(shown: str) -> ExecTarget:
    return Deny("") if shown == _DENIED else target_of(shown)


def _pairs(told: list[list[str]]) -> tuple[tuple[str, str], ...]:
    return tuple((name, text) for name, text in told)


def _attempt_of(told: dict[str, Any]) -> AttemptRecord:
    return AttemptRecord(
        attempt=attempt_of(told),
        seconds=told["seconds"],
        cost=told["cost"],
        input_tokens=told["input_tokens"],
        output_tokens=told["output_tokens"],
    )
