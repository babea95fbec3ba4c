"""Labels where the program was looked at: a call carries what may be seen at its place, and nothing else is blocked."""

from __future__ import annotations

import pytest

from rtfs_framework.lang.codegen.artifact import Artifact
from rtfs_framework.lang.source import Source
from rtfs_framework.lang.values import Keyword

pytestmark = pytest.mark.skipif(not hasattr(Artifact, "flows"), reason="programs are not looked at yet")

F = '(defn ^:delegation :remote "far" f "Say." [x] : :string "own")\n'
N = '(defn ^:delegation :local-model "near" n "Say." [x] : :string "own")\n'
ALICE = {Keyword("email"): "alice@example.com", Keyword("text"): "hello", Keyword("age"): 40}


@pytest.mark.parametrize(
    "body",
    [
        "(f (:text r))",
        "(let [{:keys [text]} r] (f text))",
        "[(f (:text r)) (n (:email r))]",
        "[(f (:text r)) (call :crm.get)]",
        "(first (map (fn [each] (f (:text each))) [r]))",
        "(let [kept (assoc {} :a (:email r))] (f (:text r)))",
    ],
)
def test_what_a_call_does_not_see_does_not_block_it(desk, body):
    result = desk.run(
        F + N + f"(defn main [r] {body})", ALICE, config='[labels.accepts]\n"capability crm.get" = ["pii"]\n'
    )
    assert "far" in str(result.value)
    assert desk.reached() == ['["hello"]']


@pytest.mark.parametrize(
    "body",
    [
        "(f (:email r))",
        "(f r)",
        "(f (str (:text r) (:email r)))",
        '(if (= (:email r) "x") (f 1) (f 2))',
        "(f (n (:email r)))",
        "(f (call :crm.get))",
        '(do (when (= (:email r) "x") (throw "no")) (f 1))',
        "(try (f (/ 1 (count (:email r)))) (catch _ 0))",
        "(let [g (fn [] (:email r))] (f (g)))",
        "(do (context/set :a (:email r)) (f (context/get :a)))",
        "(do (n (:email r)) (f (:text r)))",
        "(do (call :crm.get) (f (:text r)))",
        "(f (get r (:key r)))",
    ],
)
def test_what_a_call_may_see_blocks_it(desk, body):
    result = desk.run(
        F + N + f"(defn main [r] {body})", ALICE, config='[labels.accepts]\n"capability crm.get" = ["pii"]\n'
    )
    assert (result.value, desk.reached()) == ("own", [])


def test_records_of_a_stream_are_narrowed_each_by_its_own_columns(desk):
    text = F + "(defn main [r] [(f (:text r)) (f (:email r))])"
    bob = {Keyword("text"): "hi", Keyword("email"): None}
    with desk.open() as session:
        program = session.load(Source("test.rtfs", text))
        found = [each.value for each in session.stream(program, "main", [ALICE, bob], concurrency=2)]
    assert found == [("far", "own"), ("far", "own")]


def test_a_program_is_looked_at_only_where_labels_are(desk):
    with desk.open(labels="") as session:
        assert session.link(Source("test.rtfs", F + "(f 1)")).flows is None
    with desk.open() as session:
        assert session.link(Source("test.rtfs", F + "(f 1)")).flows is not None
