"""What a target is worth: a weighted sum of what is expected of it, beside the others that could be chosen.

Costs and latencies count as shares of the dearest and the slowest target, so weights need no units. A simulation that
knows the true expectations can ask the same function which target is best.
"""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from rtfs_engine_adaptive.settings import Weights


@attrs.frozen(slots=True, kw_only=True)
class Expected:
    """What is expected of a target, per call."""

    success: float
    """Within 0 and 1, as validity and feedback."""
    validity: float
    feedback: float
    cost: float | None
    """US dollars; None where nobody knows, and then it counts like the mean of the others."""
    latency: float
    """The expected logarithm of 1 + seconds: one very slow answer does not count for all."""


def worths(targets: Sequence[Expected], weights: Weights) -> list[float]:
    """Return what each target is worth, at most 1."""
    known = [each.cost for each in targets if each.cost is not None]
    usual = sum(known) / len(known) if known else 0.0
    costs = [usual if each.cost is None else each.cost for each in targets]
    dearest, slowest = max(costs, default=0.0), max((each.latency for each in targets), default=0.0)
    whole = (weights.success + weights.validity + weights.feedback) or 1.0
    return [
        (
            weights.success * each.success
            + weights.validity * each.validity
            + weights.feedback * each.feedback
            - weights.cost * (cost / dearest if dearest > 0 else 0.0)
            - weights.latency * (each.latency / slowest if slowest > 0 else 0.0)
        )
        / whole
        for each, cost in zip(targets, costs, strict=True)
    ]
