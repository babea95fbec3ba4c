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
