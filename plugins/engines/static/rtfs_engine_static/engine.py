"""The engine: rules and routes in, a table of ready plans out; `decide` looks up, and reads what a rule asks for.

Order of a decision: the rules of exactly this symbol; else those of the most specific pattern that matches it (more
literal characters first, then fewer wildcards, then the order of the configuration), and so on. Among the rules of one
symbol or pattern, the one with more conditions first, then the one whose types say more, then the earlier one; routes
are rules without conditions, after those. The first rule that applies decides; without one there is no opinion, and the
default target decides.

Of a rule's targets it is the first that can be used and was not tried. Plans are made once: a decision allocates
nothing, and reads nothing but what its rules name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import attrs

from rtfs_engine_static.conditions import Condition, conditions_of
from rtfs_engine_static.rules import Rule, StaticSettings, texts
from rtfs_framework.api import (
    Ask,
    CallContext,
    Capability,
    DelegationPlan,
    Deny,
    EngineSettings,
    ExecTarget,
    LocalModel,
    PlanSource,
    RemoteModel,
    compile_patterns,
    is_pattern,
    show_target,
    specificity,
)

NAME = "static"
_SECOND = 1000.0


@attrs.frozen(slots=True, eq=False)
class _Way:
    """One rule or route: when it applies, and a plan for each of its targets, the preferred one first."""

    plans: tuple[DelegationPlan, ...]
    conditions: tuple[Condition, ...] = ()
    ceilings: tuple[float | None, float | None, float | None] = (None, None, None)
    capped: bool = False

    def applies(self, context: CallContext) -> bool:
        """Tell whether it decides about a call."""
        return not self.conditions or all(holds(context) for holds in self.conditions)


class StaticEngine:
    """Decides by its rules, and by the routes of `[delegation.static_routes]`."""

    __slots__ = ("_claims", "_exact", "_first", "_patterns")

    def __init__(self, settings: EngineSettings) -> None:
        own = StaticSettings() if settings.own is None else settings.own
        ways = _grouped(own, settings)
        patterns = sorted(filter(is_pattern, ways), key=specificity)
        self._exact = {symbol: tuple(found) for symbol, found in ways.items() if not is_pattern(symbol)}
        self._patterns = [(compile_patterns((pattern,)), tuple(ways[pattern])) for pattern in patterns]
        self._first = compile_patterns(patterns)
        self._claims = (*self._exact, *patterns)

    def claims(self) -> Iterable[str]:
        """Return the symbols and patterns of rules and routes."""
        return self._claims

    def decide(self, context: CallContext) -> DelegationPlan | None:
        """Return the plan of the first rule that applies, None when none does or all its targets were tried."""
        symbol = context.symbol
        for ways in self._of(symbol):
            for way in ways:
                if way.applies(context):
                    if not way.capped:
                        return _next(way.plans, context)
                    plans = _within(way, context)
                    if plans:
                        return _next(plans, context)
        return None

    def _of(self, symbol: str) -> Iterator[tuple[_Way, ...]]:
        """Yield the rules that speak of a symbol, the most specific ones first."""
        exact = self._exact.get(symbol)
        if exact is not None:
            yield exact
        place = self._first(symbol)
        if place is not None:
            yield self._patterns[place][1]
            for matches, ways in self._patterns[place + 1 :]:
                if matches(symbol) is not None:
                    yield ways


def _next(plans: Sequence[DelegationPlan], context: CallContext) -> DelegationPlan | None:
    """Return the first plan that can be used and was not tried; of those that cannot be used, the first says why."""
    attempts = context.attempts
    if attempts:
        tried = {attempt.target for attempt in attempts}
        plans = [plan for plan in plans if _meant(plan) not in tried]
    if len(plans) <= 1:
        return plans[0] if plans else None
    usable = {candidate.target for candidate in context.candidates}
    for plan in plans:
        target = _meant(plan)
        if target in usable or not isinstance(target, LocalModel | RemoteModel):
            return plan
    return plans[0]


def _meant(plan: DelegationPlan) -> ExecTarget:
    """Return the target that a plan leads to, whether or not a person is asked before."""
    return plan.target.then if isinstance(plan.target, Ask) else plan.target


def _within(way: _Way, context: CallContext) -> list[DelegationPlan]:
    """Return the plans whose targets keep the ceilings of their rule."""
    return [plan for plan in way.plans if _keeps(_meant(plan), way.ceilings, context)]


def _keeps(target: ExecTarget, ceilings: tuple[float | None, float | None, float | None], context: CallContext) -> bool:
    """Tell whether a target keeps ceilings: not at a price that nobody knows, but where nobody has timed it."""
    if not isinstance(target, LocalModel | RemoteModel):
        return True
    most_in, most_out, milliseconds = ceilings
    if most_in is not None or most_out is not None:
        price = context.price(target)
        free = 0.0 if isinstance(target, LocalModel) else None  # on this device: nothing, unless somebody priced it
        for most, costs in ((most_in, price.input), (most_out, price.output)):
            known = free if costs is None else costs
            if most is not None and (known is None or known > most):
                return False
    if milliseconds is None:
        return True
    latency = context.latency(target)
    return latency is None or latency.p95 * _SECOND <= milliseconds


def _grouped(own: StaticSettings, settings: EngineSettings) -> Mapping[str, list[_Way]]:
    """Return rules and routes by symbol or pattern, the most specific first."""
    found: dict[str, list[_Way]] = {}
    numbered = sorted(enumerate(own.rules, start=1), key=lambda each: each[1].rank)
    for number, rule in numbered:
        for symbol in dict.fromkeys(texts(rule.symbols)):
            found.setdefault(symbol, []).append(_of_rule(rule, number, symbol, settings.targets))
    for symbol, targets in settings.routes.items() if own.static_routes else ():
        if targets:
            way = _Way(_plans(f"static route of the {_kind(symbol)} `{symbol}`", targets, ("route", symbol)))
            found.setdefault(symbol, []).append(way)
    return found


def _of_rule(rule: Rule, number: int, symbol: str, known: Mapping[str, ExecTarget]) -> _Way:
    label = rule.name or f"rule {number}"
    targets: tuple[ExecTarget, ...]
    if rule.deny is not None:
        targets = (Deny(f"{rule.deny}; '{label}' of the engine `static` says so"),)
    elif rule.capability is not None:
        targets = (Capability(rule.capability),)
    else:
        targets = tuple(dict.fromkeys(known[text] for text in texts(rule.to)))
    if rule.ask is not None:
        targets = tuple(Ask(rule.ask, target) for target in targets if not isinstance(target, Deny | Ask))
    plans = _plans(f"'{label}' of the {_kind(symbol)} `{symbol}`", targets, ("rule", label))
    capped = any(ceiling is not None for ceiling in rule.ceilings)
    return _Way(plans, conditions_of(rule), rule.ceilings, capped)


def _plans(why: str, targets: Iterable[ExecTarget], fact: tuple[str, str]) -> tuple[DelegationPlan, ...]:
    return tuple(
        DelegationPlan(
            target=target,
            reasoning=f"{why}: {show_target(target)}",
            source=PlanSource.STATIC_ROUTE,
            engine=NAME,
            context=(fact,),
        )
        for target in targets
    )


def _kind(symbol: str) -> str:
    return "pattern" if is_pattern(symbol) else "symbol"
