"""Narrowing: a call carries the marks of what may be seen at its place, and not of all that its run was given."""

from __future__ import annotations

from contextlib import suppress

import pytest

from rtfs_framework.lang.errors import ProgramError
from rtfs_framework.lang.source import Source
from rtfs_framework.lang.values import Keyword

F = '(defn ^:delegation :remote "far" f "Say." [x] : :string "own")\n'
ALICE = {Keyword("email"): "alice@example.com", Keyword("text"): "hello"}
TAKEN = '[labels.inputs]\nemail = ["pii"]\n[labels.accepts]\n"capability *" = ["pii"]\n'
BOB = {Keyword("email"): "bob@example.com", Keyword("text"): "hi"}


@pytest.mark.parametrize(
    "text",
    [
        "(defn main [rs] (map (fn [r] (f (:text r))) rs))",
        "(defn main [rs] (map (fn [r] [(:email r) (f (:text r))]) rs))",
        "(defn main [rs] (for [{:keys [email text]} rs] {:to email :says (f text)}))",
        "(defn label [r] (assoc r :label (f (:text r)))) (defn main [rs] (map label rs))",
        "(defn main [rs] (reduce (fn [found r] (conj found (f (:text r)))) [] rs))",
    ],
)
def test_programs_that_mix_many_people_are_not_held_up(desk, text):
    desk.run(F + text, [ALICE, BOB])
    assert desk.reached() == ['["hello"]', '["hi"]']


@pytest.mark.parametrize(
    "text",
    [
        "(defn main [rs] (map (fn [r] (f (str (:text r) (:email r)))) rs))",
        "(defn main [rs] (map (fn [r] (f (count (:email r)))) rs))",
        '(defn main [rs] (map (fn [r] (if (= (:email r) "a") 1 (f 1))) rs))',
        "(defn main [rs] (map f rs))",
        "(defn main [rs] (do (parse-json (first (map :email rs))) (f 1)))",
        "(defn main [rs] (do (try (parse-json (:email (first rs))) (catch _ 0)) (f 1)))",
        "(defn main [rs] (f (call :clock.now (map :email rs))))",
    ],
)
def test_what_is_smuggled_stays_at_home(desk, text):
    with suppress(ProgramError):  # some fail on purpose
        desk.run(F + text, [ALICE, BOB], labels=TAKEN)
    assert desk.reached() == []


def test_who_calls_an_inner_function_gets_no_narrowing(desk):
    text = F + "(defn inner [x] (f x)) (defn main [r] (inner (:text r)))"
    with desk.open() as session:
        program = session.load(Source("test.rtfs", text))
        assert program.call("main", (ALICE,)).value == "far"
        assert program.call("inner", (ALICE,)).value == "own"
        assert program.call("inner", ("public",)).value == "far"


def test_it_holds_for_streams(desk):
    with desk.open() as session:
        program = session.load(Source("test.rtfs", F + "(defn main [r] [(:email r) (f (:text r))])"))
        found = [each.value for each in session.stream(program, "main", [ALICE, BOB])]
    assert found == [("alice@example.com", "far"), ("bob@example.com", "far")]


def test_artifacts_without_flows_are_compiled_anew(desk):
    text = Source("test.rtfs", F + "(defn main [r] (f (:text r)))")
    with desk.open(labels="") as session:
        assert session.link(text).flows is None
    with desk.open() as session:
        assert session.link(text).flows is not None
