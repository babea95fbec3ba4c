"""APGR and CPT by their definitions: a perfect router, a random one, a wrong one, and ties."""

from __future__ import annotations

import random

import pytest

from rtfs_engine_router.measures import NoGapError, measure

WEAK = [1, 0, 1, 0, 1, 1, 0, 1]
STRONG = [1, 1, 1, 1, 1, 1, 1, 1]


def test_a_router_that_knows_asks_the_strong_model_for_what_the_weak_one_fails():
    found = measure([1.0 - right for right in WEAK], WEAK, STRONG)
    assert (found.questions, found.weak, found.strong) == (8, 0.625, 1.0)
    assert (found.cpt50, found.cpt80) == pytest.approx((0.5 * 3 / 8, 0.8 * 3 / 8))
    assert found.apgr == pytest.approx(1.0 - 0.5 * 3 / 8)


def test_equal_scores_are_a_choice_at_random():
    found = measure([0.0] * 8, WEAK, STRONG)
    assert (found.apgr, found.cpt50, found.cpt80) == pytest.approx((0.5, 0.5, 0.8))


def test_a_router_that_is_wrong_is_worse_than_one_at_random():
    found = measure([float(right) for right in WEAK], WEAK, STRONG)
    assert found.apgr == pytest.approx(0.5 * 3 / 8)
    assert found.cpt50 == pytest.approx(5 / 8 + 0.5 * 3 / 8)


def test_the_order_of_the_questions_does_not_matter():
    dice = random.Random(5)
    rows = [(dice.choice([0.1, 0.2, 0.3]), dice.randint(0, 1), 1) for _ in range(200)]
    shuffled = dice.sample(rows, len(rows))
    first, second = (measure(*map(list, zip(*each, strict=True))) for each in (rows, shuffled))
    assert first.apgr == pytest.approx(second.apgr)
    assert first.cpt80 == pytest.approx(second.cpt80)


def test_gains_that_are_lost_again_count_where_they_were_reached_first():
    found = measure([4.0, 3.0, 2.0, 1.0], [0, 0, 1, 0], [1, 1, 0, 1])
    assert found.cpt80 == pytest.approx(1.6 / 4)
    assert found.apgr == pytest.approx((0.5 * 1 + 1.5 + 1.5 + 1.5) / (4 * 2))


@pytest.mark.parametrize("strong", [WEAK, [0] * 8])
def test_without_a_gap_there_is_nothing_to_measure(strong):
    with pytest.raises(NoGapError):
        measure([0.0] * 8, WEAK, strong)
