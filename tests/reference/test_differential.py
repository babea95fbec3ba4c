"""Compiled programs against the oracle: the same value or kind of error, and the same host calls in the same order."""

from __future__ import annotations

import ast
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import compare, declared, evaluator, generate, operators

from rtfs_framework.lang.codegen import operators as inlined
from rtfs_framework.lang.codegen.expressions import Expressions
from rtfs_framework.lang.library import Op
from rtfs_framework.lang.passes import proofs
from rtfs_framework.lang.passes.table import ALL
from rtfs_framework.lang.printer import write
from rtfs_framework.testing.effort import effort

SETS = {
    "none": frozenset(),
    **{f"only {name}": frozenset({name}) for name in sorted(ALL)},
    **{f"no {name}": ALL - {name} for name in sorted(ALL)},
}
"""Sets of passes besides all of them."""


FIRST = int(os.environ.get("TEST_SHARE", "0")) * 1_000_000
"""The first seed of the ordinary run: each env of the matrix compares programs of its own."""


def differences(seeds, size=0, passes=ALL):
    for seed in seeds:
        found = compare.difference(generate.program(generate.seeded(seed), size), passes)
        if found is not None:
            yield f"seed {seed}: {found}"


@pytest.mark.parametrize("part", range(4))
def test_programs_agree(part):
    """Two thousand at the usual effort."""
    assert list(differences(range(FIRST + part * 500, FIRST + part * 500 + effort(500)))) == []


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("part", range(20))
def test_twenty_thousand_programs_agree(part):
    start = 10_000 + part * 1000
    assert list(differences(range(start, start + 1000))) == []


@pytest.mark.parametrize("name", SETS)
def test_programs_agree_with_any_set_of_passes(name):
    start = FIRST + 2_000 + 100 * list(SETS).index(name)
    assert list(differences(range(start, start + effort(100)), passes=SETS[name])) == []


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("name", SETS)
def test_three_thousand_programs_agree_with_any_set_of_passes(name):
    assert list(differences(range(200_000, 203_000), passes=SETS[name])) == []


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_large_programs_agree():
    assert list(differences(range(100_000, 100_500), size=6)) == []


@pytest.mark.filterwarnings("ignore:The recursion limit")  # a run may raise it
@settings(max_examples=effort(60))
@given(st.randoms(use_true_random=False))
def test_programs_of_hypothesis_agree(rng):
    assert compare.difference(generate.program(rng, 3)) is None


def test_programs_are_worth_comparing():
    """Most end with a value, many with an error, many call their host, few take too long."""
    outcomes = [compare.expected(generate.program(generate.seeded(seed))) for seed in range(300)]
    kept = [outcome for outcome in outcomes if outcome is not None]
    assert len(kept) > 290
    assert 90 < sum(outcome.startswith("value") for outcome, _ in kept) < 270
    assert sum(bool(calls) for _, calls in kept) > 30


@pytest.mark.parametrize("seed", range(150))
def test_a_malformed_form_is_refused_wherever_it_stands(seed):
    text = generate.refused(generate.seeded(seed))
    outcome, calls = compare.compiled(text)
    assert (outcome, calls) == ("refused ParseError", []), text


@pytest.mark.parametrize("seed", range(40))
def test_evaluating_twice_gives_the_same(seed):
    text = generate.program(generate.seeded(seed), 5)
    assert compare.compiled(text) == compare.compiled(text)


class TestPlantedBugs:
    """A wrong operator on either side is found: the comparison can fail."""

    seeds = range(400)

    def test_in_the_compiler_an_operator(self, monkeypatch):
        monkeypatch.setitem(inlined._ARITHMETIC, Op.SUB, ast.Add)
        assert next(differences(self.seeds), None)

    def test_in_the_compiler_an_order(self, monkeypatch):
        monkeypatch.setitem(inlined._ORDER, Op.GT, ast.GtE)
        assert next(differences(self.seeds), None)

    def test_in_the_compiler_the_order_of_effects(self, monkeypatch):
        monkeypatch.setattr(Expressions, "_spill", lambda *_: None)
        assert next(differences(range(800)), None)

    def test_in_the_compiler_closures_of_a_loop(self, monkeypatch):
        from rtfs_framework.lang.codegen.functions import Emitter

        def plain(self, functions, names, line, own=None):
            for fn, name in zip(functions, names, strict=True):
                self._define(fn, name)
            return names

        monkeypatch.setattr(Emitter, "_captured", plain)
        assert next(differences(range(400)), None)

    def test_in_the_compiler_a_proof(self, monkeypatch):
        monkeypatch.setattr(proofs, "_leaf_fits", lambda *_: True)
        assert next(differences(range(800)), None)

    def test_in_the_oracle_a_type(self, monkeypatch):
        monkeypatch.setitem(declared._CLASSES, "int", lambda v: v.__class__ in (int, str))
        assert next(differences(range(1200, 1600)), None)  # where the generator makes what shows it

    def test_in_the_oracle_an_operator(self, monkeypatch):
        monkeypatch.setitem(operators.OWN, "inc", (lambda e, x: operators.add(e, x, 2), 1, 1))
        assert next(differences(self.seeds), None)

    def test_in_the_oracle_truth(self, monkeypatch):
        from oracle import specials

        monkeypatch.setattr(specials, "true", bool)
        assert next(differences(range(400)), None)

    def test_in_the_oracle_hints(self, monkeypatch):
        monkeypatch.setattr(evaluator.Evaluator, "hinted", lambda self, form, env: self.value(form.form, env))
        assert next(differences(range(800)), None)


def test_the_oracle_knows_some_values_by_heart():
    """The oracle itself, against what is written down by hand."""
    known = {
        "(let [[a & r] [1 2 3]] [a r])": "[1 [2 3]]",
        "(loop [i 0 a 1] (if (< i 5) (recur (inc i) (* a 2)) a))": "32",
        "(match [1 2] [x y] when (> x y) :no [x _] x)": "1",
        "(for [x [1 2] y [x 5] :when (< x y)] [x y])": "[[1 5] [2 5]]",
        '(try (throw "a") (catch TypeError e 1) (catch _ e 2))': "2",
        "(some-> {:a 1} :a inc)": "2",
        "(defn f ([a] (f a 2)) ([a & b] [a b])) [(f 1) (f 1 3 4)]": "[[1 [2]] [1 [3 4]]]",
    }
    found = {text: write(evaluator.Evaluator(compare.reply).program(text)) for text in known}
    assert found == known
