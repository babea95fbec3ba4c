"""What a rule asks of a call and its target: each condition reads one thing, and only rules that name it read it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from rtfs_engine_security.settings import Rule, texts
from rtfs_framework.api import Capability, ExecTarget, LocalModel, RemoteModel, compile_patterns

if TYPE_CHECKING:
    from rtfs_framework.api import CallContext, Candidate

Condition = Callable[["CallContext", ExecTarget], bool]

_WHERE: dict[type, str] = {LocalModel: "local", RemoteModel: "remote", Capability: "capability"}


def where_of(target: ExecTarget) -> str:
    """Return where a call to a target runs; "own" is the function's own body."""
    return _WHERE.get(type(target), "own")


def candidate_of(target: ExecTarget, context: CallContext) -> Candidate | None:
    """Return what is known of a target, None for one that cannot be used here."""
    return next((each for each in context.candidates if each.target == target), None)


def conditions_of(rule: Rule) -> tuple[Condition, ...]:
    """Return what must hold for a rule to apply: first what is free to look at, then what is noted."""
    return (*_of_function(rule), *_of_target(rule), *_of_caller(rule), *_of_data(rule))


def _of_function(rule: Rule) -> Iterator[Condition]:
    if rule.symbols is not None:
        match = compile_patterns(texts(rule.symbols))
        yield lambda context, _: match(context.symbol) is not None


def _of_target(rule: Rule) -> Iterator[Condition]:
    if rule.where is not None:
        wanted = frozenset(texts(rule.where))
        yield lambda _, target: where_of(target) in wanted
    if rule.targets is not None:
        ids = compile_patterns(texts(rule.targets))
        yield lambda _, target: ids(getattr(target, "id", "")) is not None
    if rule.models is not None:
        models = compile_patterns(texts(rule.models))
        yield lambda context, target: models(_model_of(target, context)) is not None


def _model_of(target: ExecTarget, context: CallContext) -> str:
    found = candidate_of(target, context)
    return "" if found is None else found.model


def _of_caller(rule: Rule) -> Iterator[Condition]:
    if rule.level is not None:
        levels = frozenset(texts(rule.level))
        yield lambda context, _: context.permissions.level in levels
    if rule.granted is not None:
        granted = texts(rule.granted)
        yield lambda context, _: all(map(context.permissions.may_use, granted))
    if rule.missing is not None:
        missing = texts(rule.missing)
        yield lambda context, _: not any(map(context.permissions.may_use, missing))
    if rule.tenant is not None:
        tenants = compile_patterns(texts(rule.tenant))
        yield lambda context, _: tenants(context.tenant) is not None
    if rule.agent is not None:
        agents = compile_patterns(texts(rule.agent))
        yield lambda context, _: agents(context.agent) is not None


def _of_data(rule: Rule) -> Iterator[Condition]:
    if rule.labels is not None:
        marks = compile_patterns([mark.removeprefix(":") for mark in texts(rule.labels)])
        yield lambda context, _: any(marks(mark) is not None for mark in context.labels)
    if rule.unaccepted is not None:
        wanted = rule.unaccepted
        yield lambda context, target: _is_unaccepted(target, context) is wanted


def _is_unaccepted(target: ExecTarget, context: CallContext) -> bool:
    """Tell whether a call carries a mark that its target does not accept; a target that nobody knows accepts none."""
    if where_of(target) not in ("local", "remote"):
        return False
    found = candidate_of(target, context)
    accepts = frozenset() if found is None else found.accepts
    return accepts is not None and not context.labels <= accepts
