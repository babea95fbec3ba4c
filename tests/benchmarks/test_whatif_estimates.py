"""Off-policy estimates: exact where nothing is left to chance, silent where nothing is known, honest in between."""

from __future__ import annotations

from statistics import median

import pytest

from benchmarks.off_policy import holding, pair
from rtfs_framework.orchestrator.explaining.whatif.estimates import Step, Trial, covers, estimate, interval

BOTH = frozenset({"a", "b"})


def trial(action, reward, wanted, *, propensity=1.0, possible=frozenset(), context="f"):
    step = Step(action=action, propensity=propensity, possible=possible, wanted=wanted, reward=reward)
    return Trial(context=context, steps=(step,))


def test_the_same_policy_has_what_was() -> None:
    found = estimate([trial("a", reward, {"a": 1.0}) for reward in (1.0, 2.0, 6.0)])
    assert (found.trials, found.covered, found.then) == (3, 3, 3.0)
    assert found.robust is not None
    assert found.inverse is not None
    assert found.robust.mean == pytest.approx(3.0)
    assert found.inverse.mean == pytest.approx(3.0)
    assert found.robust.low < 3.0 < found.robust.high
    assert found.effective == pytest.approx(3.0)


def test_nothing_is_said_of_what_nobody_could_have_tried() -> None:
    elsewhere = trial("a", 1.0, {"b": 1.0})
    found = estimate([elsewhere, elsewhere])
    assert (found.covered, found.robust, found.inverse, found.effective) == (0, None, None, 0.0)
    assert not covers(trial("a", 1.0, {"a": 0.5, "b": 0.5}))
    assert not covers(trial("a", 1.0, {"b": 1.0}, propensity=0.5, possible=frozenset({"c"})))
    assert covers(trial("a", 1.0, {"b": 1.0}, propensity=0.5, possible=BOTH))
    assert covers(elsewhere, {"b": 0.0})


def test_a_known_result_needs_no_trial() -> None:
    found = estimate([trial("a", 5.0, {"denied": 1.0})] * 4, {"denied": 0.0}, least=0.0)
    assert (found.covered, found.then) == (4, 5.0)
    assert found.robust == found.inverse
    assert found.robust is not None
    assert (found.robust.low, found.robust.mean, found.robust.high) == (0.0, 0.0, 0.0)
    refused = estimate([trial("a", 0.0, {"denied": 1.0})] * 4, {"denied": 1.0}, least=0.0, most=1.0).robust
    assert refused is not None
    assert (refused.low, refused.mean) == (1.0, 1.0), "nothing of it is estimated"


def test_choices_by_chance_count_by_their_inverse() -> None:
    """Of ten calls each went to a (1 dollar) or b (3 dollars) with one half; the other policy takes b alone."""
    trials = [trial(each, reward, {"b": 1.0}, propensity=0.5, possible=BOTH) for each, reward in
              [("a", 1.0)] * 5 + [("b", 3.0)] * 5]  # fmt: skip
    found = estimate(trials)
    assert found.then == 2.0
    assert found.robust is not None
    assert found.inverse is not None
    assert found.robust.mean == pytest.approx(3.0)
    assert found.inverse.mean == pytest.approx(3.0)
    assert found.effective == pytest.approx(5.0)


def test_a_trial_never_predicts_itself() -> None:
    """The mean for the only trial of `b` is that of others, so its own value is what it adds."""
    trials = [trial("a", 1.0, {"b": 1.0}, propensity=0.9, possible=BOTH)] * 9
    trials.append(trial("b", 100.0, {"b": 1.0}, propensity=0.1, possible=BOTH))
    found = estimate(trials)
    assert found.robust is not None
    assert found.robust.mean == pytest.approx((9 * 100.0 + 1.0 + 10.0 * 99.0) / 10)


def test_steps_after_a_failure_are_weighed_one_by_one() -> None:
    """Half of all failures of `a` are followed by `b` (2 dollars), half by `c` (4); the other policy takes `c`."""

    def call(second, cost):
        first = Step(action="a", wanted={"a": 1.0}, reward=1.0)
        then = Step(action=second, propensity=0.5, possible=frozenset({"b", "c"}), wanted={"c": 1.0}, reward=cost)
        return Trial(context="f", steps=(first, then))

    found = estimate([call("b", 2.0), call("c", 4.0)] * 50)
    assert found.robust is not None
    assert found.then == 4.0
    assert found.robust.mean == pytest.approx(5.0)


def test_what_was_never_seen_may_still_happen() -> None:
    """None of 30 failed: up to a tenth may. More trials say more."""
    few = interval([0.0] * 30, 0.0, 1.0)
    many = interval([0.0] * 3000, 0.0, 1.0)
    assert (few.low, few.mean) == (0.0, 0.0)
    assert 0.05 < few.high < 0.15
    assert many.high < 0.002
    one = interval([1.0] * 30, 0.0, 1.0)
    assert one.high == 1.0
    assert one.low == pytest.approx(1.0 - few.high)


def test_few_values_that_make_up_the_spread_widen_it() -> None:
    even = interval([0.0, 2.0] * 50)
    one = interval([0.0] * 99 + [100.0])
    assert even.high - even.mean == pytest.approx(1.984 * 0.1005, rel=0.01)
    assert one.high - one.mean > 3.0, "one value in a hundred: Student's t of few degrees of freedom"


def test_intervals_hold_the_truth() -> None:
    """Of 50 simulated pairs of policies, the interval of 95 % holds the truth in 45 or more."""
    found = holding(50, 2000)
    assert min(found.values()) >= 45, found


def test_intervals_say_something() -> None:
    """With 2,000 calls the cost is known to a fifth and better, in most worlds."""
    widths = []
    for seed in range(9):
        made = pair(seed, 2000)
        assert made.cost.robust is not None
        widths.append((made.cost.robust.high - made.cost.robust.low) / made.true_cost)
    assert median(widths) < 0.4
