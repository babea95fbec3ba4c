"""Counting what a run did, in constant memory, and passing it on to the causal chain and to observers."""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Callable

import attrs

from rtfs_framework.api.labels import PUBLIC
from rtfs_framework.api.targets import show_target
from rtfs_framework.orchestrator.recording.events import EventBus
from rtfs_framework.orchestrator.recording.hinted import HINT_HIT
from rtfs_framework.orchestrator.recording.journal.run import Chain
from rtfs_framework.orchestrator.recording.records import CallRecord, Decision, Summary
from rtfs_framework.registry.problems import PluginProblem

MOST_NAMES = 100
"""Names of metrics that are counted apart in a run."""
MOST_CALLS = 1000
"""Call records kept in memory per run; the causal chain has them all."""


@attrs.define(slots=True, eq=False)
class Tally:
    """The totals of a run, updated call by call."""

    tenant: str = ""
    by_target: dict[str, int] = attrs.field(factory=dict)
    cache_hits: Counter[str] = attrs.field(factory=Counter)
    calls: int = 0
    cost: float = 0.0
    unpriced: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    refused: int = 0
    failed_attempts: Counter[str] = attrs.field(factory=Counter)
    metrics: dict[str, dict[str, float]] = attrs.field(factory=dict)
    exhausted: int = 0
    errors: int = 0
    records: int = 0
    record_errors: int = 0
    interrupted: bool = False

    def count(self, record: CallRecord) -> None:
        """Add a call."""
        self.calls += 1
        targets, target = self.by_target, record.target
        targets[target] = targets.get(target, 0) + 1
        if record.decision is not None:  # only what is decided is cached, and only models cost
            self._count_decided(record, record.decision)
        elif record.part:
            self._count_cost(record)
        if record.hints:
            self._count_hinted(record)
        if record.error_kind:
            self.refused += record.refused
            self.errors += 1

    def _count_hinted(self, record: CallRecord) -> None:
        """Count a call under the name that its hint `metrics` says; what is beyond `MOST_NAMES` counts together."""
        kept = record.cache == HINT_HIT
        if kept:
            self.cache_hits["hint"] += 1
        name = dict(record.hints).get("metrics")
        if name is None:
            return
        if name not in self.metrics and len(self.metrics) >= MOST_NAMES:
            name = "(others)"
        counts = self.metrics.setdefault(name, dict.fromkeys(("calls", "failed", "attempts", "kept", "seconds"), 0.0))
        counts["calls"] += 1
        counts["failed"] += bool(record.error_kind)
        counts["attempts"] += len(record.attempts)
        counts["kept"] += kept
        counts["seconds"] += record.seconds

    def _count_decided(self, record: CallRecord, decision: Decision) -> None:
        if decision.cache == "l1 hit":
            self.cache_hits["l1"] += 1
        if record.cache in ("l2 hit", "similar hit", "in flight"):
            self.cache_hits[record.cache.removesuffix(" hit")] += 1
        self._count_cost(record)
        for made in record.attempts:
            self.failed_attempts[show_target(made.attempt.target)] += 1
        self.exhausted += bool(decision.exhausted)

    def _count_cost(self, record: CallRecord) -> None:
        if record.cost is None:
            self.unpriced += 1
        else:
            self.cost += record.cost
        self.input_tokens += record.input_tokens
        self.output_tokens += record.output_tokens

    def summary(self, seconds: float, problems: tuple[PluginProblem, ...] = ()) -> Summary:
        """Return the totals as they stand."""
        return Summary(
            tenant=self.tenant,
            seconds=seconds,
            records=self.records,
            record_errors=self.record_errors,
            calls=self.calls,
            by_target=dict(Counter(self.by_target).most_common()),
            cache_hits=dict(self.cache_hits),
            cost=self.cost,
            unpriced=self.unpriced,
            input_tokens=self.input_tokens,
            output_tokens=self.output_tokens,
            refused=self.refused,
            failed_attempts=dict(self.failed_attempts.most_common()),
            metrics={name: dict(counts) for name, counts in self.metrics.items()},
            exhausted=self.exhausted,
            errors=self.errors,
            interrupted=self.interrupted,
            problems=problems,
        )


@attrs.define(slots=True, eq=False)
class Ledger:
    """Where a run's calls are written down, as they end."""

    events: EventBus
    chain: Chain | None
    tally: Tally = attrs.field(factory=Tally)
    latest: deque[CallRecord] = attrs.field(factory=lambda: deque(maxlen=MOST_CALLS))
    run: str = ""
    """Its id, for observers."""
    learned_from: Callable[[CallRecord], None] | None = None
    """Told of calls that were decided; None where nobody learns."""
    _one: threading.RLock = attrs.field(factory=threading.RLock, init=False)
    """A loaded program may be called from several threads: its totals and its chain take one call at a time."""

    def count_record(self, *, failed: bool) -> None:
        """Count a record of a stream."""
        with self._one:
            self.tally.records += 1
            self.tally.record_errors += failed

    def note(self, record: CallRecord) -> None:
        """Write down one call."""
        with self._one:
            self.tally.count(record)
            self.latest.append(record)
            if self.chain is not None:
                self.chain.add(record)
            if record.decision is not None and self.learned_from is not None:
                self.learned_from(record)
        if self.events.active:
            seen = PUBLIC if record.labelled is None else record.labelled.seen
            fields = {"run": self.run, "tenant": self.tally.tenant, **_fields(record), **self._words(record)}
            self.events.emit(_event(record), fields, seen)

    def _words(self, record: CallRecord) -> dict[str, object]:
        """Return what was said, without the host's secrets; arguments and answers where the journal keeps them, too."""
        if self.chain is None:
            return {}
        words = (("args", record.args_text), ("answer", record.answer_text), ("error", record.error or None))
        return {name: self.chain.journal.blot(text) for name, text in words if text is not None}


def _event(record: CallRecord) -> str:
    if record.refused:
        return "call.refused"
    return "call.failed" if record.error_kind else "call.answered"


def _fields(record: CallRecord) -> dict[str, object]:
    plan = record.decision.plan if record.decision else None
    return {
        "symbol": record.symbol,
        "path": record.path,
        "kind": record.kind,
        "target": record.target,
        "source": plan.source.value if plan else None,
        "engine": plan.engine if plan else None,
        "reasoning": plan.reasoning if plan else None,
        "model": record.model,
        "input_tokens": record.input_tokens,
        "output_tokens": record.output_tokens,
        "attempts": len(record.attempts),
        "hints": [list(each) for each in record.hints],
        "place": str(record.place) if record.place else None,
        "record": record.record,
        "seconds": record.seconds,
        "cost": record.cost,
        "cache": record.cache,
        "error": record.error or None,
        "error_kind": record.error_kind or None,
        "code": record.code or None,
    }


def noting(tally: Tally, calls: list[CallRecord], ledger: Ledger) -> Callable[[CallRecord], None]:
    """Return what writes a call into the ledger at once. It does not know the run: that is freed when it is over."""
    count, keep, write = tally.count, calls.append, ledger.note

    def note(record: CallRecord) -> None:
        count(record)
        keep(record)
        if len(calls) > MOST_CALLS:
            del calls[: -MOST_CALLS // 2]
        write(record)

    return note
