"""The summary of a stream: records, where the calls ran and why, what memory served, cost, what was refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from rtfs_framework.cli.shown.account import Account
from rtfs_framework.cli.shown.words import money, seconds, tries
from rtfs_framework.orchestrator.recording.records import Summary

if TYPE_CHECKING:
    from rtfs_framework.orchestrator.session import Session

_SHOWN_ERRORS = 5
_SHOWN_WAYS = 12


def soundness(session: Session, account: Account) -> str:
    """Return why serving replies from memory was sound: the providers are deterministic, or the owner says so."""
    instances = [session.host.pool.get(target) for target in account.serving]
    if all(instance is not None and instance.entry.deterministic for instance in instances):
        return "sound: deterministic providers"
    return 'as configured: reuse = "always"'


def summary_json(summary: Summary, account: Account, skipped: int, soundness: str) -> dict[str, Any]:
    """Return the summary as JSON-ready data."""
    ways = [
        {"symbol": symbol, "target": target, "reasoning": reason, "calls": count}
        for (symbol, target, reason), count in account.ways.most_common()
    ]
    served = sum(account.served.values())
    return {
        **summary.to_json(),
        "skipped": skipped,
        "model_calls": account.model_calls,
        "model_calls_from_cache": served,
        "served_by": dict(account.served),
        "soundness": soundness if served else None,
        "ways": ways,
        "refusals": dict(account.refused),
        "failures": dict(account.errors),
    }


def summary_lines(summary: Summary, account: Account, skipped: int, soundness: str) -> Iterator[str]:
    """Yield the lines of the summary."""
    head = f"{summary.records:,} records, {summary.record_errors:,} errors"
    left_out = f", {skipped:,} bad ones left out" if skipped else ""
    ending = "interrupted after " if summary.interrupted else ""
    yield f"{head}{left_out}, {ending}{seconds(summary.seconds)}"
    yield from _errors(account)
    targets = ", ".join(f"{target} {count:,}" for target, count in summary.by_target.items())
    yield f"calls    {summary.calls:,}{': ' if targets else ''}{targets}"
    yield from _ways(account)
    yield from _attempts(summary)
    yield from _metrics(summary)
    yield f"cache    {_cache(summary, account, soundness)}"
    tokens = summary.input_tokens or summary.output_tokens
    counted = f" ({summary.input_tokens:,} tokens in, {summary.output_tokens:,} out)" if tokens else ""
    yield f"cost     {money(summary.cost, summary.unpriced)}{counted}{_unpriced(summary)}"
    yield f"refused  {summary.refused:,}"
    for reason, count in account.refused.most_common(_SHOWN_ERRORS):
        yield f"         {count:,} x {reason}"
    for place, problem in enumerate(summary.problems):
        yield f"{'' if place else 'plugins':<8} {problem.count:,} x {problem.code} {problem.message}"


def _attempts(summary: Summary) -> Iterator[str]:
    """Yield what failed before another target, or nothing, answered."""
    failed = summary.failed_attempts
    if failed:
        targets = ", ".join(f"{target} {count:,}" for target, count in failed.items())
        ended = f"; {summary.exhausted:,} calls had nothing left to try" if summary.exhausted else ""
        yield f"failed   {tries(sum(failed.values()))}: {targets}{ended}"


def _metrics(summary: Summary) -> Iterator[str]:
    """Yield what the hints `metrics` count."""
    for place, (name, counts) in enumerate(summary.metrics.items()):
        parts = [f"{counts[each]:,.0f} {words}" for each, words in _COUNTED if counts[each] or each == "calls"]
        yield f"{'' if place else 'metrics':<8} {name}: {', '.join(parts)}, {seconds(counts['seconds'])}"


_COUNTED = (("calls", "calls"), ("failed", "failed"), ("attempts", "attempts without an answer"), ("kept", "kept"))


def _unpriced(summary: Summary) -> str:
    if not summary.unpriced:
        return ""
    calls = f"{summary.unpriced:,} call{'s' if summary.unpriced > 1 else ''}"
    return f"; ? is {calls} without a price or a count of tokens: see `rtfs prices`"


def _errors(account: Account) -> Iterator[str]:
    for text, count in account.errors.most_common(_SHOWN_ERRORS):
        yield f"         {count:,} x {text} (first at record {account.first_error[text] + 1:,})"


def _ways(account: Account) -> Iterator[str]:
    ways = account.ways.most_common(_SHOWN_WAYS)
    for way, count in ways:
        symbol, target, reason = way
        note = f" ({account.notes[way]})" if way in account.notes else ""
        yield f"         {count:,} x {symbol} -> {target}: {reason}{note}"
    left = len(account.ways) - len(ways)
    if left:
        yield f"         and {left} more ways"


def _cache(summary: Summary, account: Account, soundness: str) -> str:
    parts = []
    for layer, count in account.served.items():
        calls = f"{count:,} of {account.model_calls:,} model calls"
        parts.append(f"served from cache: {calls} ({layer}, {soundness})")
    if not parts and account.model_calls:
        parts.append(f"served from cache: 0 of {account.model_calls:,} model calls")
    shared = summary.cache_hits.get("in flight", 0)
    if shared:
        parts.append(f"{shared:,} shared with an equal call under way")
    kept = summary.cache_hits.get("hint", 0)
    if kept:
        parts.append(f"{kept:,} kept by hints")
    plans = summary.cache_hits.get("l1", 0)
    if plans:
        parts.append(f"{plans:,} plans from L1")
    return "; ".join(parts) or "nothing to serve"
