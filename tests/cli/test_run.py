"""`rtfs run` without an input: the value of a program, `main` with arguments, and errors with their stack."""

from __future__ import annotations

import json

import pytest


def test_a_program_without_main_prints_its_value(rtfs, folder) -> None:
    (folder / "sum.rtfs").write_text("(reduce + (range 1 11))")
    result = rtfs("run", "sum.rtfs")
    assert (result.code, result.out) == (0, "55\n")


def test_main_gets_its_arguments_as_texts(rtfs) -> None:
    assert rtfs("run", "hello.rtfs", "42").out == '"Hi 42"\n'


def test_arguments_after_two_dashes_may_look_like_options(rtfs) -> None:
    assert rtfs("run", "hello.rtfs", "--", "--json").out == '"Hi --json"\n'


def test_json(rtfs) -> None:
    assert rtfs("run", "hello.rtfs", "you", "--json").data["value"] == "Hi you"


def test_the_value_can_be_written_to_a_file(rtfs, folder) -> None:
    assert rtfs("run", "hello.rtfs", "you", "--output", "out.json").code == 0
    assert json.loads((folder / "out.json").read_text())["value"] == "Hi you"


@pytest.mark.parametrize("args", [(), ("a", "b")])
def test_the_number_of_arguments_must_fit(rtfs, args) -> None:
    result = rtfs("run", "hello.rtfs", *args)
    assert result.code == 2
    assert f"hello.rtfs:1:7: error[E0908]: main takes 1 argument (n), {len(args)} given" in result.err
    assert "help: rtfs run hello.rtfs N" in result.err


def test_arguments_need_a_main(rtfs, folder) -> None:
    (folder / "sum.rtfs").write_text("(+ 1 2)")
    result = rtfs("run", "sum.rtfs", "x")
    assert result.code == 2
    assert "error[E0908]: sum.rtfs defines no main" in result.err


def test_a_variadic_main(rtfs, folder) -> None:
    (folder / "all.rtfs").write_text("(defn main [first & rest] (count rest))")
    assert rtfs("run", "all.rtfs", "a", "b", "c").out == "2\n"
    assert "main takes at least 1 argument (first), 0 given" in rtfs("run", "all.rtfs").err


def test_an_error_shows_its_place_and_the_stack(rtfs, folder) -> None:
    (folder / "deep.rtfs").write_text("(defn inner [x y]\n  (+ x y))\n(defn main [n]\n  [(inner 1 n)])\n")
    result = rtfs("run", "deep.rtfs", "x")
    assert result.code == 1
    assert "deep.rtfs:2:3: error[E0502]: TypeError: Type error in +: expected number, got string" in result.err
    assert "  2 |   (+ x y))\n    |   ^^^^^^^\n" in result.err
    assert "in inner at deep.rtfs:2:3" in result.err
    assert "in main at deep.rtfs:4:4" in result.err
    assert "Traceback" not in result.err


def test_wrong_arity_in_a_program(rtfs, folder) -> None:
    (folder / "arity.rtfs").write_text("(defn f [x] x)\n(f 1 2)")
    result = rtfs("run", "arity.rtfs")
    assert result.code == 1
    assert "arity.rtfs:2:1: error[E0" in result.err
    assert "help: " in result.err


def test_an_error_that_was_thrown_on_purpose(rtfs, folder) -> None:
    (folder / "throw.rtfs").write_text('(throw "out of stock")')
    result = rtfs("run", "throw.rtfs")
    assert result.code == 1
    assert "error[E0512]: ApplicationError" in result.err
    assert "out of stock" in result.err


def test_runaway_recursion_is_a_limit(rtfs, folder) -> None:
    (folder / "deep.rtfs").write_text("(defn f [n] (+ 1 (f n)))\n(f 1)")
    result = rtfs("run", "deep.rtfs")
    assert result.code == 1
    assert "error[E0520]: LimitError" in result.err
    assert "Traceback" not in result.err


def test_a_program_from_the_standard_input(rtfs) -> None:
    assert rtfs("run", "-", stdin="(* 2 21)").out == "42\n"


def test_input_options_need_an_input(rtfs) -> None:
    result = rtfs("run", "hello.rtfs", "x", "--column", "body")
    assert result.code == 2
    assert "--column needs --input" in result.err


def test_arguments_and_input_exclude_each_other(rtfs) -> None:
    result = rtfs("run", "pure.rtfs", "x", "--input", "-", stdin="a\n")
    assert result.code == 2
    assert "exclude each other" in result.err


@pytest.mark.needs("rtfs-provider-rules")
def test_a_call_is_in_the_json(rtfs, folder) -> None:
    (folder / "one.rtfs").write_text((folder / "feeling.rtfs").read_text() + '(feel "I love it")')
    (folder / "one.rtfs").write_text((folder / "one.rtfs").read_text().replace("(defn main", "(defn other"))
    data = rtfs("run", "one.rtfs", "--json").data
    assert data["value"] == "positive"
    assert data["summary"]["calls"] == 1


def test_calls_of_the_top_level_forms_are_in_the_json_too(rtfs, folder) -> None:
    (folder / "ask.rtfs").write_text("(defn asked [x] (try (call :acme.read x) (catch _ e x)))\n(asked 1)")
    (data,) = rtfs("run", "ask.rtfs", "--json").data["calls"]
    assert data["symbol"] == "acme.read"
    (folder / "ask.rtfs").write_text((folder / "ask.rtfs").read_text() + "\n(defn main [] (asked 2))")
    data = rtfs("run", "ask.rtfs", "--json").data
    assert [call["entry"] for call in data["calls"]] == [0, 1]
    assert data["summary"]["calls"] == 2


@pytest.mark.needs("rtfs-engine-static", "rtfs-provider-echo")
@pytest.mark.parametrize("main", ["(map label (range 3))", "(defn main [] (map label (range 3)))"])
def test_it_is_told_when_own_bodies_ran_because_nothing_else_was_left(rtfs, folder, main) -> None:
    (folder / "a.rtfs").write_text(f"(defn label [x] :own)\n{main}")
    (folder / "delegation.toml").write_text(
        '[delegation.static_routes]\nlabel = "local-echo"\n[budgets.few]\ncalls = 1\nper = "run"\n'
        '[delegation.local_models.echo]\nprovider = "echo"\nreuse = "never"\n'
    )
    result = rtfs("run", "a.rtfs", "--trust")
    assert (result.code, result.out.count(":own")) == (0, 2)
    told = "hint[E0625]: 2 calls had nothing left to try, and went on with the own body (failed: local-model echo 2)"
    assert told in result.err
    words = result.err.split("`")[1].split()[1:]
    assert "refused by budget" in rtfs(*words, "--trust").out
    assert "E0625" not in rtfs("run", "a.rtfs", "--trust", "--quiet").err
    assert [each["code"] for each in rtfs("run", "a.rtfs", "--trust", "--json").data["problems"]] == ["E0625"]
