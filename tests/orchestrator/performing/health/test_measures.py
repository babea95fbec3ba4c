"""Windows, bands, latency, load and the retry budget: what they count, and that they do not flap."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtfs_framework.api.signals import Latency
from rtfs_framework.orchestrator.performing.health.bands import Band
from rtfs_framework.orchestrator.performing.health.latency import FACTOR, Latencies
from rtfs_framework.orchestrator.performing.health.load import Load
from rtfs_framework.orchestrator.performing.health.repeats import MOST, START, Repeats
from rtfs_framework.orchestrator.performing.health.window import Window

OUTCOMES = st.lists(st.tuples(st.floats(0, 20), st.booleans(), st.booleans()), max_size=60)


@given(OUTCOMES, st.integers(1, 20))
def test_a_window_counts_what_is_in_it(outcomes, calls):
    window, now, seen = Window(10.0, calls), 0.0, []
    for wait, failed, slow in outcomes:
        now += wait
        window.add(now, failed=failed, slow=slow)
        seen.append((now, failed, slow))
        kept = [each for each in seen[-calls:] if each[0] > now - 10.0]
        _, failures, slow_ones = (sum(column) for column in zip(*kept, strict=True))
        assert (len(window), window.failed, window.slow) == (len(kept), failures, slow_ones)


@given(st.lists(st.floats(1e-3, 1e3), min_size=1, max_size=50))
def test_a_value_is_never_more_than_a_quarter_of_a_band_outside_of_its_own(values):
    band = Band(FACTOR)
    for value in values:
        band.put(value)
        assert FACTOR ** (band.number - 0.26) <= value <= FACTOR ** (band.number + 1.26)


def test_a_value_at_a_border_stays_where_it_is():
    band = Band(2.0)
    assert band.put(4.1)
    assert not any(band.put(value) for value in (3.9, 4.1, 3.6, 8.1, 9.4, 4.0))
    assert band.put(9.6)
    assert band.number == 3


def test_nothing_is_said_of_too_few_answers():
    latencies = Latencies()
    assert not any(latencies.add(1.0, 0.0) for _ in range(4))
    assert latencies.shown is None
    assert latencies.add(1.0, 0.0)
    assert latencies.shown == Latency(1.18, 1.18)  # the middle of the band from 1 to 1.4


@given(st.lists(st.floats(0.01, 100.0), min_size=5, max_size=100))
def test_latencies_are_the_quantiles_to_a_band(seconds):
    latencies = Latencies()
    for each in seconds:
        latencies.add(each, 0.0)
    ordered = sorted(seconds)
    for share, shown in ((0.5, latencies.shown.p50), (0.95, latencies.shown.p95)):
        true = ordered[max(0, -(-len(ordered) * round(share * 100) // 100) - 1)]
        assert true / FACTOR**1.01 <= shown <= true * FACTOR**1.01


def test_old_answers_fade():
    latencies = Latencies()
    for _ in range(300):
        latencies.add(10.0, 0.0)
    for _ in range(300):
        latencies.add(0.1, 1.0)
    assert latencies.shown.p95 < 0.2
    for _ in range(5):
        latencies.add(5.0, 5000.0)
    for _ in range(5):
        latencies.add(5.0, 10_000.0)
    assert latencies.shown.p50 > 4.0


def test_what_another_process_measured_stands_until_there_is_more():
    latencies = Latencies()
    latencies.know(2.0, 4.0)
    assert latencies.shown == Latency(2.32, 4.55)
    for _ in range(5):
        latencies.add(0.5, 0.0)
    latencies.know(2.0, 4.0)
    assert latencies.shown.p50 < 0.7


def test_load_is_shown_in_bands_of_two():
    load, shown = Load(), []
    for _ in range(20):
        load.change(1)
        shown.append(load.shown)
    assert shown == [1, 2, 4, 4, 4, 8, 8, 8, 8, 8, 16, 16, 16, 16, 16, 16, 16, 16, 16, 32]
    for _ in range(25):
        load.change(-1)
    assert (load.under_way, load.shown) == (0, 0)


@given(st.lists(st.booleans(), max_size=400), st.floats(0.0, 1.0))
def test_repeats_never_exceed_their_share(wishes, share):
    repeats, firsts, taken = Repeats(share), 0, 0
    for again in wishes:
        if again:
            taken += repeats.take()
        else:
            firsts += 1
            repeats.first()
        assert taken <= START + share * firsts + 1e-6
        assert repeats.left <= MOST


def test_a_budget_of_nothing_allows_nothing():
    repeats = Repeats(0.0)
    for _ in range(100):
        repeats.first()
    assert not repeats.take()


@pytest.mark.parametrize("share", [0.1, 0.2])
def test_a_failing_server_gets_at_most_its_share_more(share):
    repeats, sent = Repeats(share), 0
    for _ in range(1000):
        repeats.first()
        sent += 1
        while repeats.take():  # whoever calls repeats as often as it may
            sent += 1
    assert sent <= 1000 * (1 + share) + START
