"""What a rule asks of a call: each condition reads one thing of the context, and only rules that name it read it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from rtfs_engine_static.rules import Rule, texts
from rtfs_framework.api import compile_patterns, types_fit

if TYPE_CHECKING:
    from rtfs_framework.api import CallContext

Condition = Callable[["CallContext"], bool]

INTENT = "intent"
"""The name under which a caller's metadata say what a call is for."""


def conditions_of(rule: Rule) -> tuple[Condition, ...]:
    """Return what must hold for a rule to apply, the cheapest question first."""
    return tuple(_conditions(rule))


def _conditions(rule: Rule) -> Iterator[Condition]:
    if rule.tenant is not None:
        yield _named(texts(rule.tenant), lambda context: context.tenant)
    if rule.agent is not None:
        yield _named(texts(rule.agent), lambda context: context.agent)
    if rule.environment:
        yield _holding(rule.environment, lambda context: context.environment)
    if rule.constraints:
        yield _holding(rule.constraints, lambda context: context.constraints)
    if rule.time_class is not None:
        yield _named(texts(rule.time_class), lambda context: context.time_class)
    if rule.granted is not None:
        capabilities = texts(rule.granted)
        yield lambda context: all(map(context.permissions.may_use, capabilities))
    if rule.types is not None:
        patterns = tuple(rule.types)
        yield lambda context: types_fit(patterns, context.types)
    if rule.min_size is not None or rule.max_size is not None:
        yield _within(rule.min_size, rule.max_size, lambda context: context.size)
    if rule.min_confidence is not None or rule.max_confidence is not None:
        yield _within(rule.min_confidence, rule.max_confidence, lambda context: context.metadata.confidence)
    if rule.intent is not None:
        yield _named(texts(rule.intent), lambda context: context.metadata.context.get(INTENT))


def _named(names: tuple[str, ...], read: Callable[[CallContext], str | None]) -> Condition:
    match = compile_patterns(names)

    def holds(context: CallContext) -> bool:
        found = read(context)
        return found is not None and match(found) is not None

    return holds


def _holding(wanted: Mapping[str, str], read: Callable[[CallContext], Mapping[str, str]]) -> Condition:
    matches = {name: compile_patterns((pattern,)) for name, pattern in wanted.items()}

    def holds(context: CallContext) -> bool:
        found = read(context)
        return all(name in found and match(found[name]) is not None for name, match in matches.items())

    return holds


def _within(least: float | None, most: float | None, read: Callable[[CallContext], float | None]) -> Condition:
    def holds(context: CallContext) -> bool:
        found = read(context)
        return found is not None and (least is None or found >= least) and (most is None or found <= most)

    return holds
