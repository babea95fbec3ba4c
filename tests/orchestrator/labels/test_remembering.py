"""Functions that remember: what one call or branch was given, another may get, so its marks count there, too."""

from __future__ import annotations

import pytest

from rtfs_framework.lang.source import Source
from rtfs_framework.lang.values import Keyword

F = '(defn ^:delegation :remote "far" f "Say." [x] : :string "own")\n'
N = '(defn ^:delegation :local-model "near" n "Say." [x] : :string "own")\n'
ALICE = {Keyword("email"): "alice@example.com"}


@pytest.mark.parametrize(
    "text",
    [
        '(def g (memoize (fn [_] (f "asked")))) (defn main [r] (g (:email r))) (defn later [x] (g x))',
        (
            "(def g (memoize (fn [] (context/get :a))))\n"
            "(defn main [r] (do (context/set :a (:email r)) (g))) (defn later [_] (f (g)))"
        ),
        "(def g (memoize (fn [] (call :crm.get)))) (defn main [_] (g)) (defn later [_] (f (g)))",
    ],
)
def test_a_later_call_has_the_marks_of_earlier_ones(desk, text):
    with desk.open() as session, session.load(Source("test.rtfs", F + text)) as program:
        program.call("main", (ALICE,))
        program.call("later", ("alice@example.com",))
    assert desk.reached() == []


def test_a_branch_has_the_marks_of_another(desk):
    text = "(def g (memoize (fn [] (call :crm.get))))"
    text += "(defn main [_] (pmap (fn [i] (if (= i 0) (g) (do (n 1) (n 2) (f (g))))) [0 1]))"
    assert desk.run(F + N + text, 1).value == ("alice@example.com", "own")
    assert desk.reached() == []


def test_calls_that_depend_on_no_marked_column_go_on(desk):
    text = F + "(def g (memoize f)) (defn main [r] [(g (:text r)) (f (:email r))])"
    records = [{**ALICE, Keyword("text"): str(number)} for number in range(3)]
    with desk.open() as session, session.load(Source("test.rtfs", text)) as program:
        found = [each.value for each in session.stream(program, "main", records)]
    assert found == [("far", "own")] * 3


def test_without_a_function_that_remembers_calls_are_told_apart(desk):
    text = F + "(defn main [r] (f (:email r))) (defn later [x] (f x))"
    with desk.open() as session, session.load(Source("test.rtfs", text)) as program:
        found = [program.call(name, (given,)).value for name, given in (("main", ALICE), ("later", "hi"))]
    assert (found, desk.reached()) == (["own", "far"], ['["hi"]'])


def test_of_very_many_paths_none_is_told_apart(desk):
    text = F + "(def g (memoize (fn [x] (:a x)))) (defn main [r] (g r)) (defn later [x] (f (g {:a x})))"
    wide = {f"{number}": ALICE for number in range(300)}
    with desk.open() as session, session.load(Source("test.rtfs", text)) as program:
        program.call("main", (wide,))
        assert len(program.seen.inputs) == 1
        assert program.call("later", ("hi",)).value == "own"


MEMO = "(defn ^:memo double [x] (* 2 x))\n"
MARKED = MEMO + "(do (call :crm.get) (double 3))"


def memos(desk):
    return sum(namespace == "memo" for namespace, _ in desk.kit.layers["l2"].records)


def test_a_memoised_value_is_found_under_the_marks_under_which_it_was_kept_and_no_others(desk):
    found = []
    for text in (MEMO + "(double 3)", MARKED, MARKED, MEMO + "(double 3)"):
        before = desk.kit.layers["l2"].hits if found else 0
        assert desk.run(text, l2=True).value == 6
        found.append((memos(desk), desk.kit.layers["l2"].hits - before))
    assert found == [(1, 0), (2, 0), (2, 1), (2, 1)]


def test_nothing_is_kept_of_marks_that_the_layer_does_not_accept(desk):
    assert desk.run(MARKED, config='[labels.accepts]\n"cache l2" = []\n', l2=True).value == 6
    assert memos(desk) == 0
