"""The account of a stream that the summary reads: which calls went where and why, what memory served, what failed.

Bounded: at most MOST different lines of each kind are kept apart; what does not fit is counted together.
"""

from __future__ import annotations

from collections import Counter

import attrs

from rtfs_framework.api.attempts import FailureKind
from rtfs_framework.api.targets import LocalModel, RemoteModel, show_target
from rtfs_framework.cli.program_errors import as_diagnostic
from rtfs_framework.orchestrator.recording.records import CallRecord, RecordResult

MOST = 40
REST = "(others)"

Way = tuple[str, str, str]
"""Symbol, target, reasoning."""


@attrs.define(slots=True, eq=False)
class Account:
    """Counters, fed record by record."""

    ways: Counter[Way] = attrs.field(factory=Counter)
    notes: dict[Way, str] = attrs.field(factory=dict)
    model_calls: int = 0
    served: Counter[str] = attrs.field(factory=Counter)
    """Model calls answered from memory, by layer."""
    serving: set[LocalModel | RemoteModel] = attrs.field(factory=set)
    """The targets whose remembered replies were served."""
    refused: Counter[str] = attrs.field(factory=Counter)
    errors: Counter[str] = attrs.field(factory=Counter)
    first_error: dict[str, int] = attrs.field(factory=dict)

    def add(self, result: RecordResult) -> None:
        """Count a record."""
        for call in result.calls:
            self._call(call)
        if result.error is not None:
            found = as_diagnostic(result.error)
            kind = f"{found.code} {found.message}"
            kind = kind if kind in self.errors or len(self.errors) < MOST else REST
            self.errors[kind] += 1
            self.first_error.setdefault(kind, result.index)

    def _call(self, call: CallRecord) -> None:
        plan = call.decision.plan if call.decision else None
        target = plan.target if plan else None
        way = (call.symbol, call.target if plan is None else show_target(plan.target), _reason(call))
        way = way if way in self.ways or len(self.ways) < MOST else (REST, "", "")
        self.ways[way] += 1
        if plan is not None and plan.context and way not in self.notes:
            self.notes[way] = "; ".join(f"{name} {text}" for name, text in plan.context)
        if call.part:
            self.model_calls += 1
        self.model_calls += sum(each.attempt.kind is not FailureKind.REFUSED for each in call.attempts)
        if isinstance(target, LocalModel | RemoteModel):
            self.model_calls += 1
            if call.cache.endswith(" hit"):
                self.served[call.cache.removesuffix(" hit").upper()] += 1
                self.serving.add(target)
        if call.refused:
            reason = call.error if call.error in self.refused or len(self.refused) < MOST else REST
            self.refused[reason] += 1


def _reason(call: CallRecord) -> str:
    plan = call.decision.plan if call.decision else None
    if plan is None:
        return "refused" if call.refused else "consulted by the engine" if call.part else "granted by policy"
    return plan.reasoning
