"""Plans by symbol and fingerprints: the layer by itself, for whoever has no host that makes its keys.

A route that was set beforehand needs no memory: it is answered at once and counts nowhere. All else is looked up in the
layer by the symbol, the fingerprint of the argument types and that of the runtime context, each of 64 bits.
"""

from __future__ import annotations

from rtfs_cache_l1.layer import PlanCache
from rtfs_framework.api import CacheInfo, CacheKey, DelegationPlan, ExecTarget, PlanSource, digest, show_target

_NAMESPACE = "plan by fingerprints"


class Plans:
    """Static routes, and the plans of a layer."""

    def __init__(self, cache: PlanCache) -> None:
        self.cache = cache
        self._routes: dict[str, DelegationPlan] = {}

    def route(self, symbol: str, target: ExecTarget) -> None:
        """Say where a symbol always runs."""
        self._routes[symbol] = DelegationPlan(
            target=target, reasoning=f"{symbol} is routed to {show_target(target)}", source=PlanSource.STATIC_ROUTE
        )

    def look_up(self, symbol: str, arguments: int, context: int) -> DelegationPlan | None:
        """Return the route of a symbol, else the plan that was kept for these fingerprints, else None (a miss)."""
        routed = self._routes.get(symbol)
        if routed is not None:
            return routed
        record = self.cache.get(_key(symbol, arguments, context))
        return record.value if record is not None and isinstance(record.value, DelegationPlan) else None

    def keep(
        self, symbol: str, arguments: int, context: int, plan: DelegationPlan, *, agent: str = "", task: str = ""
    ) -> None:
        """Remember a plan, with the agent and the task that it was made for. To be called once it has worked."""
        info = CacheInfo(
            symbol=symbol, target=show_target(plan.target), agent=agent, task=task, confidence=plan.confidence
        )
        self.cache.put(_key(symbol, arguments, context), plan, info=info)

    @property
    def hit_rate(self) -> float:
        """The share of hits among all look-ups that reached the layer, 0 to 1; 0 before there are any."""
        stats = self.cache.stats()
        asked = stats.hits + stats.misses
        return stats.hits / asked if asked else 0.0


def _key(symbol: str, arguments: int, context: int) -> CacheKey:
    parts = ("symbol", symbol), ("arguments", f"{arguments:#018x}"), ("context", f"{context:#018x}")
    return CacheKey(_NAMESPACE, digest(symbol, arguments, context), parts)
