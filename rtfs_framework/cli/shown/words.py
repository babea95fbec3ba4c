"""Short words for what happened: where a call ran and why, times and money."""

from __future__ import annotations

from time import localtime, strftime

from rtfs_framework.api.plans import PlanSource
from rtfs_framework.api.targets import (
    Capability,
    Deny,
    ExecTarget,
    L4CacheHit,
    LocalModel,
    LocalPure,
    RemoteModel,
    show_target,
)
from rtfs_framework.orchestrator.recording.records import CallRecord

_SOURCES = {
    PlanSource.POLICY: "policy",
    PlanSource.HINT: "hint",
    PlanSource.STATIC_ROUTE: "route",
    PlanSource.DEFAULT: "default",
    PlanSource.EXHAUSTED: "exhausted",
}
_CACHES = {"l2 hit": "L2", "similar hit": "similar", "in flight": "shared", "hint hit": "hint"}
_MOST_CALLS = 8


def where(calls: tuple[CallRecord, ...]) -> str:
    """Return where the calls of a record ran and why: `sentiment: sentiment (hint, L2); ...`."""
    shown = [f"{call.symbol}: {_target(call)} ({', '.join(_why(call))})" for call in calls[:_MOST_CALLS]]
    if len(calls) > _MOST_CALLS:
        shown.append(f"{len(calls) - _MOST_CALLS} more")
    return "; ".join(shown) or "kernel"


def why_short(call: CallRecord) -> str:
    """Return the step of the precedence that decided, in a word."""
    plan = call.decision.plan if call.decision else None
    if plan is None:
        return "refused" if call.refused else "consulted" if call.part else "granted"
    return _SOURCES.get(plan.source) or f"engine {plan.engine}".rstrip()


def _why(call: CallRecord) -> list[str]:
    reasons = [why_short(call)]
    if call.cache in _CACHES:
        reasons.append(_CACHES[call.cache])
    if call.attempts:
        reasons.append(f"after {tries(len(call.attempts))}")
    if call.error_kind:
        reasons.append("failed")
    return reasons


def tries(count: int) -> str:
    """Return a number of attempts that gave no answer."""
    return f"{count:,} failed attempt{'' if count == 1 else 's'}"


def _target(call: CallRecord) -> str:
    plan = call.decision.plan if call.decision else None
    return short_target(plan.target) if plan else call.target


def short_target(target: ExecTarget) -> str:
    """Return a target in a table."""
    match target:
        case LocalPure():
            return "own body"
        case LocalModel(id=name):
            return f"local {name}"
        case RemoteModel(id=name):
            return f"remote {name}"
        case Capability(id=name):
            return name
        case L4CacheHit(pointer=pointer):
            return f"published {pointer[:12] or 'program'}"
        case Deny():
            return "denied"
    return show_target(target)


def seconds(value: float) -> str:
    """Return a duration as people read it."""
    if value < 0.9995:
        return f"{value * 1000:.1f} ms" if value < 0.0995 else f"{value * 1000:.0f} ms"
    return f"{value:.1f} s" if value < 120 else f"{int(value) // 60} min {int(value) % 60} s"


def moment(stamp: float) -> str:
    """Return a time (seconds since the epoch) as this machine's clock shows it."""
    return strftime("%Y-%m-%d %H:%M:%S", localtime(stamp))


def money(value: float, unpriced: int | bool = 0) -> str:
    """Return US dollars; with something whose price is not known, what is known and a question mark."""
    if unpriced:
        return f"{money(value)} + ?" if value else "?"
    return "$0" if value == 0 else f"${value:.6f}" if value < 0.01 else f"${value:,.2f}"
