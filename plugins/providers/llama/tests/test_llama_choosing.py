"""Choosing among token sequences: the likeliest by the product of its passes, and no pass more than it takes."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtfs_provider_llama.child.choosing import choose, ended, normalised

END = 99
_OPTIONS = st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=4).map(tuple), min_size=1, max_size=8, unique=True)


def scored(seed):
    """Return a model: made-up numbers that depend on path, token and seed alone."""
    passes = []

    def score(path, among):
        passes.append(path)
        return normalised([float(hash((seed, path, token)) % 1000) / 200 for token in among])

    return score, passes


def products(options, score):
    """Return the probability of each choice: at each token, among those that are left."""
    found = []
    for option in options:
        total = 0.0
        for place, token in enumerate(option):
            among = sorted({other[place] for other in options if other[:place] == option[:place]})
            total += score(option[:place], among)[among.index(token)] if len(among) > 1 else 0.0
        found.append(math.exp(total))
    return found


@given(options=_OPTIONS, seed=st.integers(0, 1000))
def test_the_choice_is_the_likeliest_of_all(options, seed):
    whole = ended(options, END)
    score, passes = scored(seed)
    chosen, probability = choose(whole, lambda path, among: _in_order(score, path, among))
    expected = products(whole, lambda path, among: _in_order(scored(seed)[0], path, among))
    assert math.isclose(math.fsum(expected), 1.0, abs_tol=1e-9)
    assert math.isclose(probability, max(expected), abs_tol=1e-9)
    assert math.isclose(expected[chosen], probability, abs_tol=1e-9)
    assert len(passes) == len(set(passes)) < len(options) + (len(options) == 1)


def _in_order(score, path, among):
    """Score tokens in any order as in their own."""
    order = sorted(among)
    found = dict(zip(order, score(path, order), strict=True))
    return [found[token] for token in among]


def test_different_first_tokens_take_one_pass():
    score, passes = scored(1)
    choose([(7, 1, 2), (7, 2), (7, 3, 4, 5)], score)
    assert passes == [(7,)]


def test_one_choice_takes_none():
    score, passes = scored(1)
    assert choose([(1, 2)], score) == (0, 1.0)
    assert passes == []


def test_what_begins_another_choice_is_ended():
    assert ended([(1,), (1, 2), (3,)], END) == [(1, END), (1, 2), (3,)]


def test_an_unlikely_branch_is_not_looked_into():
    passes = []

    def score(path, among):
        passes.append(path)
        return [math.log(0.1), math.log(0.9)]

    assert choose([(1, 1), (1, 2), (2,)], score)[0] == 2
    assert passes == [()]


def test_numbers_far_apart_are_normalised():
    assert normalised([0.0, -2000.0]) == pytest.approx([0.0, -2000.0])
    assert math.fsum(map(math.exp, normalised([1.0, 2.0, 3.0]))) == pytest.approx(1.0)
