"""The engine: settings in, a table of ready plans out; `decide` only looks up.

Order of a decision: the route of exactly this symbol; else the most specific pattern that matches it (more literal
characters first, then fewer wildcards, then the order of the configuration); else the default target, which is
`LocalPure` when none is configured. Plans are made once: a decision allocates nothing and reads nothing but the symbol.
"""

from __future__ import annotations

from collections.abc import Iterable

from rtfs_framework.api import (
    CallContext,
    Consult,
    DelegationPlan,
    EngineSettings,
    ExecTarget,
    LocalPure,
    PlanSource,
    compile_patterns,
    is_pattern,
    show_target,
    specificity,
)

NAME = "static"


class StaticEngine:
    """Decides by the routes of `[delegation.static_routes]` and `default_target`."""

    __slots__ = ("_claims", "_default", "_exact", "_first", "_globs")

    def __init__(self, settings: EngineSettings) -> None:
        routes = settings.routes
        default = LocalPure() if settings.default is None else settings.default
        patterns = sorted(filter(is_pattern, routes), key=specificity)
        self._exact = {symbol: _routed(symbol, to) for symbol, to in routes.items() if not is_pattern(symbol)}
        self._globs = [_routed(pattern, routes[pattern]) for pattern in patterns]
        self._first = compile_patterns(patterns)
        self._default = _by_default(default)
        self._claims = (*self._exact, *patterns)
        if not isinstance(default, LocalPure) and "*" not in self._claims:
            self._claims = (*self._claims, "*")

    def claims(self) -> Iterable[str]:
        """Return the routed symbols and patterns, and `*` when the default sends calls away."""
        return self._claims

    def decide(self, context: CallContext) -> DelegationPlan:
        """Return the plan of the route that the symbol takes."""
        symbol = context.symbol
        plan = self._exact.get(symbol)
        if plan is not None:
            return plan
        index = self._first(symbol)
        return self._default if index is None else self._globs[index]

    def conclude(self, context: CallContext, consult: Consult, answer: str) -> DelegationPlan:  # noqa: ARG002
        """Return what `decide` says: this engine never consults, so no answer can change it."""
        return self.decide(context)


def _routed(key: str, target: ExecTarget) -> DelegationPlan:
    kind = "pattern" if is_pattern(key) else "symbol"
    return DelegationPlan(
        target=target,
        reasoning=f"static route of the {kind} `{key}`: {show_target(target)}",
        source=PlanSource.STATIC_ROUTE,
        engine=NAME,
        context=(("route", key),),
    )


def _by_default(target: ExecTarget) -> DelegationPlan:
    return DelegationPlan(
        target=target,
        reasoning=f"no static route matches; default target: {show_target(target)}",
        source=PlanSource.DEFAULT,
        engine=NAME,
    )
