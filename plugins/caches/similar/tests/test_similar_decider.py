"""The decision to serve."""

from __future__ import annotations

import pytest

from rtfs_cache_similar.deciding import Decider, Look, Near
from rtfs_framework.api import Served

NEAR = [Near("e1", "What is a business process?", 0.97)]


def test_without_evidence_nothing_is_served() -> None:
    verdict = Decider().decide("p", Look("What's a business process?"), NEAR, draw=1.0)
    assert verdict.served is Served.MISS


@pytest.mark.parametrize("bound", [0.0, -1.0])
def test_a_bound_of_nothing_serves_nothing(bound) -> None:
    verdict = Decider().decide("p", Look("What's a business process?"), NEAR, draw=0.0, bound=bound)
    assert verdict.served is Served.MISS
