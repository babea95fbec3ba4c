"""A state is what was folded, whatever was folded together; what is no state changes nothing."""

from __future__ import annotations

import json

import pytest

from rtfs_framework.api import DelegationPlan, FailureKind, LocalModel, LocalPure, Outcome, PlanSource
from rtfs_framework.orchestrator.learning.counts import NAME, counts
from rtfs_framework.orchestrator.learning.fold import MOST_CELLS, Folding, Learner
from rtfs_framework.orchestrator.learning.shelf import MemoryLearning
from rtfs_framework.registry.faults import Part, PluginFault
from rtfs_framework.registry.problems import Provenance

M, OTHER = LocalModel("m"), LocalModel("other")
WHO = Part("engine", "learned", Provenance("acme", "1", "acme"))


def outcome(target=M, *, success=True, **more):
    more.setdefault("kind", None if success else FailureKind.SAFE)
    return Outcome(symbol="f", target=target, success=success, **more)


class Tally:
    """Counts successes by target."""

    def claims(self):
        return ("f",)

    def decide(self, context):
        return DelegationPlan(target=LocalPure(), reasoning=str(context.state("m")), source=PlanSource.ENGINE)

    def initial(self):
        return {"m": 0}

    def fold(self, state, outcome):
        name = outcome.target.id
        return {**state, name: state.get(name, 0) + outcome.success}


def folding(fold=None, initial=dict):
    engine = Tally()
    made = Folding(Learner("learned", WHO, initial, fold or engine.fold))
    made.begin()
    return made


def test_a_cell_has_the_version_of_the_outcome_that_changed_it_last():
    made = folding(initial=Tally().initial)
    made.take(outcome(OTHER), 5)
    made.take(outcome(M, success=False), 9)
    made.take(outcome(M), 12)
    assert {name: (cell.version, cell.value) for name, cell in made.cells.items()} == {"other": (5, 1), "m": (12, 1)}
    assert list(made.cells) == ["other", "m"], "the one that nobody touched for longest comes first"
    assert (made.outcomes, made.skipped) == (3, 0)


def test_what_changed_is_told_once():
    made = folding()
    made.take(outcome(), 2)
    assert list(made.noted()) == ["m"]
    assert made.noted() == {}


@pytest.mark.parametrize(
    ("returned", "wrong"),
    [
        (None, "a NoneType, which is no state"),
        ({1: 2}, "whose name is a int"),
        ({"a": (1, 2)}, "does not say as it is"),
        ({"a": {1: 2}}, "does not say as it is"),
        ({"a": float("nan")}, "cannot say"),
        ({"a": object()}, "cannot say"),
        ({str(n): 0 for n in range(MOST_CELLS + 1)}, "cells"),
        ({"a": "x" * (5 << 20)}, "4 MiB"),
    ],
)
def test_what_is_no_state_skips_its_outcome(returned, wrong):
    made = folding(lambda state, outcome: returned if outcome.note else {**state, "n": state.get("n", 0) + 1})
    made.take(outcome(), 2)
    with pytest.raises(PluginFault, match=wrong):
        made.take(outcome(note="bad"), 3)
    made.take(outcome(), 4)
    assert ({name: cell.value for name, cell in made.cells.items()}, made.skipped) == ({"n": 2}, 1)


def test_nothing_is_shared_with_the_engine():
    held = {"list": [1]}
    made = folding(lambda state, outcome: {"a": held})
    made.take(outcome(), 2)
    held["list"].append(2)
    assert made.cells["a"].value == {"list": [1]}


def test_cells_that_are_gone_are_told_as_gone():
    made = folding(lambda state, outcome: {} if outcome.note else {"a": 1, "b": 2})
    made.take(outcome(), 2)
    made.noted()
    made.take(outcome(note="x"), 3)
    assert made.noted() == {"a": None, "b": None}
    assert not made.cells


def test_cells_of_one_row_are_in_the_order_in_which_they_are_read_back():
    def fold(state, outcome):
        return {**state, outcome.note: len(state)}

    made = folding(fold)
    for note in ("b", "a", "c"):
        made.take(outcome(note=note), 7)
    assert list(made.cells) == ["a", "b", "c"]


def test_versions_are_published_after_32_outcomes_or_a_second():
    now = [0.0]
    learning = MemoryLearning({"learned": Tally()}, now=lambda: now[0])
    assert learning.state("learned", "m") == (1, 0)
    for _ in range(31):
        learning.take(outcome())
    assert learning.state("learned", "m") == (1, 0)
    learning.take(outcome())
    assert learning.state("learned", "m") == (33, 32)
    learning.take(outcome())
    assert learning.state("learned", "m")[1] == 32
    now[0] = 1.0
    learning.take(outcome())
    assert learning.state("learned", "m")[1] == 34
    assert learning.state("learned", "nothing") == (0, None)
    assert learning.state("nobody", "m") == (0, None)


def test_an_unchecked_learning_learns_the_same():
    one, two = (MemoryLearning({"learned": Tally()}, checked=checked, every=1) for checked in (True, False))
    for number in range(50):
        for each in (one, two):
            each.take(outcome(M if number % 3 else OTHER, success=bool(number % 2)))
    assert one.state("learned", "m") == two.state("learned", "m")
    assert one.stats("f", M) == two.stats("f", M)


def test_the_host_counts_how_calls_ended():
    learning = MemoryLearning({}, every=1)
    assert learning.stats("f", M) == (0, None)
    learning.take(
        outcome(seconds=0.1, cost=0.01),
        outcome(seconds=0.1, cost=None),
        outcome(success=False, seconds=9.0, cost=0.03),
        outcome(success=False, kind=FailureKind.REFUSED),
        outcome(feedback=0.5),
        outcome(feedback=1.0),
    )
    _, found = learning.stats("f", M)
    assert (found.count, found.successes, found.feedback) == (3, 2, 0.75)
    assert found.cost == pytest.approx(0.02)
    assert 0.1 <= found.seconds <= 0.14
    assert learning.stats("g", M) == (0, None)


def test_a_full_count_forgets_the_pair_that_nobody_used_for_longest():
    made = Folding(counts())
    made.begin()
    for number in range(MOST_CELLS + 5):
        made.take(Outcome(symbol=f"f{number}", target=M, success=True), number + 2)
    assert len(made.cells) == MOST_CELLS
    assert next(iter(made.cells)) == "f5 local-model m"
    assert json.loads(next(iter(made.cells.values())).text)["count"] == 1
    assert made.learner.name == NAME
