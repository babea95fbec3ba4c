"""`run` refuses malformed programs and names nobody knows; what else `check` proves is a warning, and happens."""

from __future__ import annotations

import pytest

from rtfs_framework.lang.errors import ProgramError
from rtfs_framework.orchestrator.session import Session

CAUGHT = '(defn bad [] (+ 1 "a")) (try (bad) (catch TypeError e :caught))'


@pytest.mark.parametrize(
    ("text", "value", "code"),
    [
        (CAUGHT, ":caught", "E0321"),
        ("(defn f [x] x) (defn g [] (f)) (try (g) (catch ArityMismatch e :c))", ":c", "E0204"),
        ("(defn g [] (inc 1 2)) (try (g) (catch ArityMismatch e 1))", "1", "E0204"),
        ("(defn g [] (1 2)) (try (g) (catch TypeError e 2))", "2", "E0205"),
        ('(defn g [] : int "x") (try (g) (catch TypeValidationError e 3))', "3", "E0320"),
        ("(defn g [] (count 5)) 4", "4", "E0321"),
    ],
)
def test_what_surely_fails_is_a_warning_of_run_and_an_error_of_check(rtfs, folder, text, value, code):
    (folder / "a.rtfs").write_text(text, encoding="utf-8")
    for command in (("run", "a.rtfs"), ("eval", text)):
        result = rtfs(*command)
        assert (result.lines, result.code) == ([value], 0)
        assert f"warning[{code}]" in result.err
    checked = rtfs("check", "a.rtfs")
    assert (checked.code, f"error[{code}]" in checked.out + checked.err) == (1, True)


def test_the_warning_is_among_the_problems_of_json(rtfs):
    data = rtfs("eval", "--json", CAUGHT).data
    (problem,) = data["problems"]
    assert (data["value"], problem["code"], problem["severity"], problem["column"]) == (
        "caught", "E0321", "warning", 19,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('(+ 1 "a")', 0),
        ('(def x 1)\n(+ x  ; "(\n   (str "(")\n   "a")', 0),
        ('(defn f [x] (nth x "a")) (f [1])', 0),
        ("(defn f [x] x)\n(f\n  1 2)", 0),
        ('(defn g [] (inc "b")) (+ 1 "a")', 1),
        ('(map (fn [x] (+ x "a")) 5)', 1),
        ('(do (defn g [] (inc "b")) (throw "no"))', 1),
    ],
)
def test_a_mistake_that_is_reached_is_told_once(rtfs, folder, text, told):
    (folder / "a.rtfs").write_text(text, encoding="utf-8")
    for command in (("run", "a.rtfs"), ("eval", text)):
        result = rtfs(*command)
        assert (result.code, result.err.count("error[E05"), result.err.count("warning[E0")) == (1, 1, told)


def test_a_warning_is_told_again_by_every_run(rtfs):
    for _ in range(3):
        assert "warning[E0321]" in rtfs("eval", CAUGHT).err


def test_what_a_try_around_it_takes_is_no_warning_of_run(rtfs):
    result = rtfs("eval", '(try (+ 1 "a") (catch TypeError e 1))')
    assert (result.lines, result.err) == (["1"], "")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("(try nobody (catch UndefinedSymbol e :c))", ":c"),
        ("(try (/ 1 0) (catch TypeError e nobody) (catch e 2))", "2"),
        ("(try 1 (finally (if false nobody)))", "1"),
    ],
)
def test_a_name_nobody_knows_inside_try_happens(rtfs, text, value):
    result = rtfs("eval", text)
    assert (result.lines, result.code) == ([value], 0)


@pytest.mark.parametrize("text", ["(if false nobody 1)", "(defn f [] nobody) (try (f) (catch e 1))", "(try 1)"])
def test_other_names_and_malformed_programs_are_refused(rtfs, text):
    result = rtfs("eval", text)
    assert (result.code, result.out) == (1, "")
    assert "error[E0203]" in result.err or "error[E0201]" in result.err


def test_a_name_that_the_program_sets_in_the_context_is_known(rtfs):
    assert rtfs("eval", "(do (context/set :k [1 2]) (count k))").lines == ["2"]


def test_sessions_run_and_load_what_fails_only_when_it_is_reached():
    with Session.open(journal=False) as session:
        linked = session.link(CAUGHT)
        assert [(each.code, each.severity) for each in linked.warnings] == [("E0321", "warning")]
        assert session.run(linked).value.name == "caught"
        program = session.load(session.link('(defn main [] (+ 1 "a"))'))
        with pytest.raises(ProgramError, match="expected number"):
            program.call("main")
        assert session.check(CAUGHT)[0].severity == "error"


def test_the_repl_warns_and_goes_on(rtfs):
    result = rtfs("repl", stdin=CAUGHT + "\n(1 2)\n")
    assert result.lines[:2] == ["#<function>", ":caught"]
    assert "warning[E0321]" in result.err
    assert "warning[E0205]" in result.err
    assert "error[E0502]" in result.err
