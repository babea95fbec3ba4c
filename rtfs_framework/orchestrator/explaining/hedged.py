"""The second request of a call, as explanations tell it: whom a run asks as well, and when. Nothing is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.api.targets import show_target

if TYPE_CHECKING:
    from rtfs_framework.api.plans import DelegationPlan
    from rtfs_framework.orchestrator.host import Host


@attrs.frozen(slots=True, kw_only=True)
class Beside:
    """A second target, which is sent the same data when the first has not answered."""

    target: str
    after: float
    """Seconds."""
    most: float | None = None
    """US dollars that it may cost; None for no bound."""

    def __str__(self) -> str:
        """Return it in words."""
        after = f"{self.after:g} s" if self.after >= 1 else f"{self.after * 1000:g} ms"
        most = "" if self.most is None else f", for at most ${self.most:g}"
        return f"and {self.target} as well after {after} without an answer (hedge{most})"

    def to_json(self) -> dict[str, Any]:
        """Return JSON-ready data."""
        return attrs.asdict(self)


def beside(host: Host, plan: DelegationPlan) -> Beside | None:
    """Return what a run would ask beside the target of a plan; None where there is no second request.

    Whether a price is known that bounds its cost is found out when the call is made.
    """
    if plan.hedge is None:
        return None
    first, second = host.pool.get(plan.target), host.pool.get(plan.hedge.target)
    if first is None or second is None or not second.entry.order_independent:
        return None
    if host.dispatcher.models.sender.immediate(first):
        return None
    return Beside(target=show_target(plan.hedge.target), after=plan.hedge.after, most=plan.hedge.most)


def with_beside(host: Host, plan: DelegationPlan) -> str:
    """Return the target of a plan, and whom a run asks as well."""
    second, target = beside(host, plan), show_target(plan.target)
    return target if second is None else f"{target}, {second}"
