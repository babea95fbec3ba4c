"""What another policy would have had, in numbers: each quantity with its interval, and the part that nobody can tell.

In: evidence, and prices of the other policy. Out: a `Report`. Where the first choice of the other policy was never
possible, no estimate speaks: the costs of those calls are told apart, by the list of prices and the same tokens.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import attrs

from rtfs_framework.orchestrator.explaining.whatif.estimates import Estimate, Trial, covers, estimate
from rtfs_framework.orchestrator.explaining.whatif.evidence import DENIED, OWN_BODY, Call, Evidence, Price

_MILLION = 1_000_000


@attrs.frozen(slots=True, kw_only=True)
class Assumed:
    """What calls would have cost that no estimate speaks of, if they used as many tokens elsewhere."""

    calls: int = 0
    then: float = 0.0
    """US dollars, as far as they are known."""
    now: float = 0.0
    unpriced: int = 0
    """Calls that nobody can say it of: no price, or no count of tokens."""


@attrs.frozen(slots=True, kw_only=True)
class Report:
    """What another policy would have had."""

    calls: int
    """All that were decided about."""
    unknown: Mapping[str, int]
    """Of these, those of which nobody can tell what it would choose, by reason."""
    changes: Mapping[tuple[str, str, str], int]
    """Function, target then, target now: how many first decisions differ for sure."""
    quantities: Mapping[str, Estimate]
    """By name, per call: "cost" (US dollars), "refused", "failed" (shares), "seconds", "quality" (0 to 1)."""
    assumed: Assumed

    def to_json(self) -> dict[str, Any]:
        """Return JSON-ready data."""
        names = ("function", "then", "now")
        return {
            "calls": self.calls,
            "cannot_tell": [{"because": why, "calls": count} for why, count in self.unknown.items()],
            "changes": [{**dict(zip(names, key, strict=True)), "calls": count} for key, count in self.changes.items()],
            "quantities": {name: _estimate_json(found, self.calls) for name, found in self.quantities.items()},
            "not_covered": attrs.asdict(self.assumed),
        }


def report(evidence: Evidence, price: Price) -> Report:
    """Return what the evidence says of the other policy."""
    calls = evidence.calls
    found: dict[str, Estimate] = {}
    priced = [call for call in calls if None not in call.costs]
    found["cost"] = estimate([_cost(call) for call in priced], {DENIED: 0.0, OWN_BODY: 0.0}, least=0.0)
    for name, known, of in _SHARES:
        found[name] = estimate([call.at_end(float(of(call))) for call in calls], known, least=0.0, most=1.0)
    answered = [call for call in calls if not call.refused]
    found["seconds"] = estimate([call.at_end(call.seconds) for call in answered], least=0.0)
    rated = [call.at_end(call.rating) for call in calls if call.rating is not None]
    found["quality"] = estimate(rated, least=0.0, most=1.0)
    return Report(
        calls=len(calls) + evidence.unknown.total(),
        unknown=dict(evidence.unknown.most_common()),
        changes=dict(evidence.changes.most_common()),
        quantities=found,
        assumed=_assumed(calls, price),
    )


_SHARES: tuple[tuple[str, Mapping[str, float], Callable[[Call], bool]], ...] = (
    ("refused", {DENIED: 1.0}, lambda call: call.refused),
    ("failed", {DENIED: 0.0}, lambda call: call.failed),
)


def _cost(call: Call) -> Trial:
    return call.trial(tuple(0.0 if cost is None else cost for cost in call.costs))


def _assumed(calls: Iterable[Call], price: Price) -> Assumed:
    total = Assumed()
    for call in calls:
        if covers(call.at_end(0.0), {DENIED: 0.0, OWN_BODY: 0.0}):
            continue
        now = _by_list(call, price)
        then = None if None in call.costs else sum(cost or 0.0 for cost in call.costs)
        if now is None or then is None:
            total = attrs.evolve(total, calls=total.calls + 1, unpriced=total.unpriced + 1)
        else:
            total = attrs.evolve(total, calls=total.calls + 1, then=total.then + then, now=total.now + now)
    return total


def _by_list(call: Call, price: Price) -> float | None:
    """Return what a call would cost by the list, None where that cannot be said."""
    if call.from_memory:
        return 0.0
    cost = 0.0
    for action, share in call.choices[0].wanted.items():
        if action in (DENIED, OWN_BODY):
            continue
        into, out = price(action)
        if into is None or out is None or not any(call.tokens):
            return None
        cost += share * (into * call.tokens[0] + out * call.tokens[1]) / _MILLION
    return cost


def _estimate_json(found: Estimate, calls: int) -> dict[str, Any]:
    def shown(each: Any) -> Any:
        return None if each is None else attrs.asdict(each)

    return {
        "then": found.then if found.covered else None,
        "doubly_robust": shown(found.robust),
        "inverse_propensity": shown(found.inverse),
        "calls": found.covered,
        "share": found.covered / calls if calls else 0.0,
        "effective_calls": found.effective,
    }
