"""The engine: routes in, a table of ready plans out; `decide` only looks up.

Order of a decision: the route of exactly this symbol; else the most specific pattern that matches it (more literal
characters first, then fewer wildcards, then the order of the configuration); else no opinion, so the default target
decides. Of a route's targets it is the first that can be used. Plans are made once: a decision allocates nothing, and
reads nothing but what is free.
"""

from __future__ import annotations

from collections.abc import Iterable

from rtfs_framework.api import (
    CallContext,
    DelegationPlan,
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

Route = tuple[DelegationPlan, ...]
"""A plan for each target of a route, in their order."""


class StaticEngine:
    """Decides by the routes of `[delegation.static_routes]`."""

    __slots__ = ("_claims", "_exact", "_first", "_globs")

    def __init__(self, settings: EngineSettings) -> None:
        routes = {key: targets for key, targets in settings.routes.items() if targets}
        patterns = sorted(filter(is_pattern, routes), key=specificity)
        self._exact = {symbol: _route(symbol, to) for symbol, to in routes.items() if not is_pattern(symbol)}
        self._globs = [_route(pattern, routes[pattern]) for pattern in patterns]
        self._first = compile_patterns(patterns)
        self._claims = (*self._exact, *patterns)

    def claims(self) -> Iterable[str]:
        """Return the routed symbols and patterns."""
        return self._claims

    def decide(self, context: CallContext) -> DelegationPlan | None:
        """Return the plan of the route that the symbol takes, None when it takes none."""
        symbol = context.symbol
        route = self._exact.get(symbol)
        if route is None:
            index = self._first(symbol)
            if index is None:
                return None
            route = self._globs[index]
        return route[0] if len(route) == 1 else _usable(route, context)


def _usable(route: Route, context: CallContext) -> DelegationPlan:
    """Return the first plan whose target can be used; the first of all when none can, for the host says why."""
    usable = {candidate.target for candidate in context.candidates}
    for plan in route:
        if plan.target in usable or not isinstance(plan.target, LocalModel | RemoteModel):
            return plan
    return route[0]


def _route(key: str, targets: tuple[ExecTarget, ...]) -> Route:
    kind = "pattern" if is_pattern(key) else "symbol"
    return tuple(
        DelegationPlan(
            target=target,
            reasoning=f"static route of the {kind} `{key}`: {show_target(target)}",
            source=PlanSource.STATIC_ROUTE,
            engine=NAME,
            context=(("route", key),),
        )
        for target in targets
    )
