"""The benchmark of warm-ups runs, and the engine halves cold starts with at most a fifth of warm-ups wasted."""

from __future__ import annotations

from statistics import mean

import pytest

from benchmarks.warming import simulate

pytestmark = pytest.mark.needs("rtfs-engine-predictive")


def test_cold_starts_are_halved_and_at_most_a_fifth_of_warm_ups_is_wasted():
    days = [simulate(seed, 6, 2.0, 60) for seed in range(4)]
    cold = mean(with_.cold / without.cold for without, with_ in days)
    wasted = mean(with_.wasted / with_.warmed for _, with_ in days)
    assert cold <= 0.5
    assert wasted <= 0.2
    assert all(without.calls == with_.calls and without.warmed == 0 for without, with_ in days)
