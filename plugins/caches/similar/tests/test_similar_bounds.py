"""Upper confidence bounds: never too low more often than they may be, also when one looks after each answer."""

from __future__ import annotations

import numpy as np
import pytest

from rtfs_cache_similar.deciding.bounds import betting, exact


def test_without_a_judged_answer_all_may_be_wrong() -> None:
    assert betting(np.zeros(1), np.zeros(1), 0.05)[0] == pytest.approx(1.0)
    assert exact(0, 0, 0.05) == 1.0
    assert exact(3, 3, 0.05) == 1.0


def test_the_exact_bound_is_that_of_clopper_and_pearson() -> None:
    assert exact(0, 299, 0.05) == pytest.approx(1 - 0.05 ** (1 / 299), rel=1e-6)
    assert exact(2, 10, 0.05) == pytest.approx(0.50690, abs=1e-4)


def test_more_wrong_answers_raise_the_bound_and_more_right_ones_lower_it() -> None:
    wrong = betting(np.array([0.0, 1.0, 2.0, 5.0]), np.full(4, 100.0), 0.05)
    judged = betting(np.zeros(3), np.array([10.0, 100.0, 1_000.0]), 0.05)
    assert (np.diff(wrong) > 0).all()
    assert (np.diff(judged) < 0).all()


@pytest.mark.parametrize("rate", [0.02, 0.1, 0.3])
def test_who_looks_after_each_answer_is_misled_seldom(rate) -> None:
    """400 sequences of 300 answers, looked at after each: in 5 % at most was the bound ever below the truth."""
    answers = np.random.default_rng(7).random((400, 300)) < rate
    seen = np.stack([np.cumsum(answers, axis=1), np.broadcast_to(np.arange(1, 301), answers.shape)], axis=-1)
    states, place = np.unique(seen.reshape(-1, 2), axis=0, return_inverse=True)
    bounds = betting(states[:, 0].astype(float), states[:, 1].astype(float), 0.05)[place.reshape(-1)]
    assert (bounds.reshape(answers.shape) < rate).any(axis=1).sum() <= 0.05 * 400
