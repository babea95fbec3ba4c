"""Execution hints in decisions: whether the policy lets a call have them, and what of them a decision rests on.

Only `retry` and `fallback` change what is decided after a failure. Both are noted among a decision's reads, so that it
can be made again from what a journal tells (`hints_told`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from rtfs_framework.lang.maps import EMPTY_MAP, Map
from rtfs_framework.lang.values import Keyword
from rtfs_framework.orchestrator.boundary.hints import BEYOND, NO_HINTS, PREFIX, HintError, Hints, read_hints

if TYPE_CHECKING:
    from rtfs_framework.orchestrator.config.tables.hints import HintsTable
    from rtfs_framework.orchestrator.recording.records import Noted

READ = "hint"
"""The name of such a read; its parameter is the hint's name."""

LATE = "timeout"
"""The guard of an attempt whose own time, by the hint `timeout`, was over: it has none left for its fallback."""


def check_hints(hints: Hints, policy: HintsTable, where: str) -> None:
    """Refuse hints that ask for more than the policy allows; `where` names its file.

    Raises:
        HintError: E0623, they do.
    """
    for name, key, asked, most in _asked(hints, policy):
        if asked > most:
            way_out = f"ask for at most {most:g}, or raise {key} under [hints] in {where}"
            raise HintError(name, f"{asked:g} is more than {key} = {most:g} allows", way_out, BEYOND)
    for name, wanted, allowed in (
        ("fallback", hints.fallback, policy.fallback),
        ("cache", hints.cache, policy.cache != "off"),
    ):
        if wanted is not None and not allowed:
            way_out = f"leave it out, or allow {name} under [hints] in {where}"
            raise HintError(name, "the policy does not allow it", way_out, BEYOND)


def _asked(hints: Hints, policy: HintsTable) -> Iterable[tuple[str, str, float, float]]:
    """Yield what hints ask for, beside the bound of it."""
    if hints.retry is not None:
        yield "retry", "max_retries", hints.retry.most, policy.max_retries
        yield "retry", "max_backoff", hints.retry.backoff, policy.max_backoff
    if hints.timeout is not None:
        yield "timeout", "max_multiplier", hints.timeout.multiplier, policy.max_multiplier
    if hints.circuit_breaker is not None:
        yield "circuit-breaker", "max_cooldown", hints.circuit_breaker.cooldown, policy.max_cooldown
    if hints.cache is not None:
        yield "cache", "max_ttl", hints.cache.ttl, policy.max_ttl
        yield "cache", "max_entries", hints.cache.entries, policy.max_entries


def steering(table: Map) -> Hints:
    """Return the hints in force at a call, for decisions after a failure.

    Those that mean nothing count as none: a call that has any is refused before it is decided.
    """
    try:
        return read_hints(table)
    except HintError:
        return NO_HINTS


def hint_reads(hints: Hints) -> tuple[Noted, ...]:
    """Return what a decision after a failure rests on of the hints in force."""
    found: list[Noted] = []
    if hints.retry is not None:
        said = (hints.retry.most, hints.retry.backoff, hints.retry.multiplier)
        found.append(((READ, "retry"), said, said))
    if hints.fallback is not None:
        named = (hints.fallback.capability, hints.fallback.pass_args)
        found.append(((READ, "fallback"), named, named))
    return tuple(found)


def hints_told(reads: Iterable[Mapping[str, Any]]) -> Map:
    """Return the hints on which a recorded decision rested, as a call has them."""
    said = {each["read"][1]: each.get("value") for each in reads if each["read"][0] == READ}
    found: dict[str, dict[str, Any]] = {}
    retry, fallback = said.get("retry"), said.get("fallback")
    if isinstance(retry, list):
        most, backoff, multiplier = retry
        found["retry"] = {"max-retries": most, "backoff-ms": backoff * 1000, "backoff-multiplier": multiplier}
    if isinstance(fallback, list):
        capability, pass_args = fallback
        found["fallback"] = {"capability": capability, "pass-original-args": pass_args}
    if not found:
        return EMPTY_MAP
    maps = {name: Map.wrap({Keyword(key): value for key, value in hint.items()}) for name, hint in found.items()}
    return Map.wrap({Keyword(PREFIX + name): hint for name, hint in maps.items()})
