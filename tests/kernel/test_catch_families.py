"""Families of `catch`: what came from the host is told from what the program or the library raised."""

from __future__ import annotations

import pytest

from rtfs_framework.kernel.instance import Instance
from rtfs_framework.kernel.loader import compile_source, run_pure
from rtfs_framework.kernel.outcome import Complete
from rtfs_framework.lang.errors import ProgramError, generic_error, undefined_symbol
from rtfs_framework.lang.values import Keyword

CATCH = "(try %s (catch HostError e :host) (catch RuntimeError e :program))"


def answered(text, error):
    """Return the value of a program whose host answers every call with an error."""
    run = Instance(compile_source(text)).start()
    outcome = run.step()
    while not isinstance(outcome, Complete):
        outcome = run.throw(error())
    return outcome.value


@pytest.mark.parametrize("kind", ["Generic", "NetworkError", "UnknownCapability", "TypeError", "Odd"])
@pytest.mark.parametrize(
    "body", ["(call :a)", "(map call [:a])", "(try (call :a) (catch e (throw e)))", "(pmap call [:a])"]
)
def test_what_the_host_answers_is_the_hosts(kind, body):
    assert answered(CATCH % body, lambda: ProgramError(kind, "m")) == Keyword("host")


@pytest.mark.parametrize(
    "body",
    [
        '(throw "text")',
        '(throw {:kind "NetworkError" :message "made up"})',
        '(parse-json "{")',
        '(re-find "(" "a")',
        "(reduce (fn [a b] a) [])",
        "(/ 1 0)",
        "(inc nil)",
        "(match 1 2 3)",
        "((fn [x] x))",
        "(nth [] 3)",
    ],
)
def test_what_the_program_and_the_library_raise_is_the_programs(body):
    assert run_pure(CATCH % body) == Keyword("program")


def test_a_name_that_nobody_knows_is_the_programs():
    assert answered(CATCH % "nobody", lambda: undefined_symbol("nobody")) == Keyword("program")


@pytest.mark.parametrize("clause", ["e", "_ e", "Exception e", "Throwable e"])
def test_every_error_is_taken_by(clause):
    assert run_pure(f"(try (/ 1 0) (catch {clause} 1))") == 1
    assert answered(f"(try (call :a) (catch {clause} 1))", lambda: generic_error("no")) == 1


def test_exact_kinds_take_either():
    text = "(try %s (catch NetworkError e (:message e)))"
    assert answered(text % "(call :a)", lambda: ProgramError("NetworkError", "far")) == "far"
    assert run_pure(text % '(throw {:kind "NetworkError" :message "near"})') == "near"


@pytest.mark.parametrize("body", ["(inc nil)", "(nil? 1 2)", "(let [x : int 1.5] x)"])
def test_validation_errors(body):
    assert run_pure(f"(try {body} (catch ValidationError e 1))") == 1


def test_a_kind_that_no_error_has_is_a_hint_with_the_nearest():
    (found,) = compile_source("(try (/ 1 0) (catch DivideByZero e 1) (catch e 2))").diagnostics
    assert (found.code, found.severity, found.span.start) == ("E0245", "hint", 20)
    assert found.help == "did you mean 'DivisionByZero'?"
    assert compile_source('(try (throw {:kind "Odd" :message "m"}) (catch Odd e 1))').diagnostics == ()
    (other,) = compile_source("(try (/ 1 0) (catch Zzzz e 1) (catch e 2))").diagnostics
    assert "rtfs doc try" in other.help


@pytest.mark.parametrize("clause", ["Throwable e 1", "Exception e 1", "_ e 1", "e 1"])
def test_a_handler_after_one_that_takes_all_never_runs(clause):
    (found,) = compile_source(f"(try (/ 1 0) (catch {clause}) (catch TypeError e 2))").diagnostics
    assert (found.code, found.severity) == ("E0242", "warning")
