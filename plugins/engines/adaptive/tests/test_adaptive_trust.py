"""How far what is alike is believed: Bayes' rule over beta-binomial outcomes, against numbers worked out by hand."""

from __future__ import annotations

from math import comb

import pytest

from rtfs_engine_adaptive.trust import Share, believed


def beta_binomial(good, bad, a, b):
    """Return how likely outcomes in one order are, by the product of the predictions of each."""
    found = 1.0
    for number in range(good):
        found *= (a + number) / (a + b + number)
    for number in range(bad):
        found *= (b + number) / (a + b + good + number)
    return found


def share(good, bad, alike, *, weight=20.0, usual=0.5):
    return Share(good + bad, good, alike, weight, usual)


@pytest.mark.parametrize(("good", "bad"), [(0, 0), (1, 0), (0, 3), (5, 2)])
def test_the_odds_are_those_of_bayes(good, bad):
    found = believed(0.8, [[share(good, bad, 0.9)]])
    odds = 4.0 * beta_binomial(good, bad, 18.0, 2.0) / beta_binomial(good, bad, 1.0, 1.0)
    assert found == [pytest.approx(odds / (1.0 + odds))]
    assert beta_binomial(good, bad, 1.0, 1.0) == pytest.approx(1.0 / ((good + bad + 1) * comb(good + bad, good)))


def test_agreement_stays_where_it_was_seen_and_contradiction_goes_round():
    agrees, contradicts = [share(6, 0, 0.95)], [share(0, 4, 0.95)]
    one, untried = believed(0.8, [agrees, []])
    assert (one > 0.8, untried) == (True, pytest.approx(0.8))
    doubted, other = believed(0.8, [contradicts, []])
    assert doubted < 0.05
    assert other == pytest.approx(doubted)


def test_one_rare_failure_of_a_target_that_never_fails_decides_nothing():
    seen = [share(68, 1, 0.987, usual=0.9997)]
    assert believed(0.5, [seen]) == [pytest.approx(0.5, abs=0.35)]


@pytest.mark.parametrize("prior", [0.0, 1.0])
def test_who_is_sure_hears_no_evidence(prior):
    assert believed(prior, [[share(0, 50, 0.95)], []]) == [prior, prior]


def test_no_evidence_is_beyond_the_numbers():
    assert believed(0.8, [[share(0, 100_000, 0.98)]]) == [pytest.approx(0.0, abs=1e-9)]
