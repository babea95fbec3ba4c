"""Programs in what models reply: fences, prose, refusals, nothing at all."""

from __future__ import annotations

import pytest

from rtfs_framework.cli.writing.examples import BadExample, Example
from rtfs_framework.cli.writing.replies import EMPTY, MOST, PROSE, REFUSED, TOO_LONG, Found, Nothing, program_in

FOUND = {
    "bare": ("(+ 1 2)", "(+ 1 2)\n"),
    "fence": ("```rtfs\n(+ 1 2)\n```", "(+ 1 2)\n"),
    "fence without a language": ("Sure!\n```\n(+ 1 2)\n```\nIt adds.", "(+ 1 2)\n"),
    "a neighbour's name": ("```clojure\n(+ 1 2)\n```", "(+ 1 2)\n"),
    "the wrong name": ("```python\n(defn main [x] x)\n```", "(defn main [x] x)\n"),
    "never closed": ("```lisp\n(+ 1 2)", "(+ 1 2)\n"),
    "windows": ("```rtfs\r\n(defn f [x]\r\n  x)\r\n```\r\n", "(defn f [x]\n  x)\n"),
    "the longest": ("```rtfs\n(defn main [a] (* 2 a))\n```\nCall it:\n```\n(main 2)\n```", "(defn main [a] (* 2 a))\n"),
    "reads before longer": ("```\n(main 2 3 4 5 6 7 8 9\n```\n```\n(+ 1 2)\n```", "(+ 1 2)\n"),
    "cut off": ("```rtfs\n(defn main [a] (* 2", "(defn main [a] (* 2\n"),
    "prose around": ("Here it is:\n(defn f [x] x)\n(f 1)\nEnjoy!", "(defn f [x] x)\n(f 1)\n"),
    "a comment first": ("; doubles\n(* 2 3)", "; doubles\n(* 2 3)\n"),
    "thinking": ("<think>(maybe 1)</think>\n(+ 1 2)", "(+ 1 2)\n"),
    "only a number": ("42", "42\n"),
    "data": ("[1 2]", "[1 2]\n"),
    "tildes": ("~~~\n(+ 1 2)\n~~~", "(+ 1 2)\n"),
}
NOTHING = {
    "empty": ("", EMPTY),
    "blank": (" \n\t", EMPTY),
    "only thoughts": ("<think>hm</think>", EMPTY),
    "refusal": ("I'm sorry, but I can't help with that.", REFUSED),
    "refusal in print": ("I can\u2019t do this.", REFUSED),
    "prose": ("It counts the words.", PROSE),
    "one word": ("Sure", PROSE),
    "one word and a stop": ("Sure.", PROSE),
    "an object": ('{"messages": [{"role": "user", "content": "(+ 1 2)"}]}', PROSE),
    "python": ("```python\ndef f(x):\n    return x\n```", PROSE),
    "too long": ("(" * (MOST + 1), TOO_LONG),
    "empty fence": ("```rtfs\n\n```", PROSE),
}


@pytest.mark.parametrize(("reply", "program"), FOUND.values(), ids=FOUND)
def test_programs_are_found(reply, program):
    assert program_in(reply) == Found(program)


@pytest.mark.parametrize(("reply", "kind"), NOTHING.values(), ids=NOTHING)
def test_there_is_none(reply, kind):
    found = program_in(reply)
    assert isinstance(found, Nothing)
    assert found.kind == kind


def test_what_the_server_calls_a_refusal_is_one():
    found = program_in("(+ 1 2)", refusal=True)
    assert isinstance(found, Nothing)
    assert found.kind == REFUSED


@pytest.mark.parametrize(
    ("text", "call", "expected", "error"),
    [
        ('"a b" => 2', '(main "a b")', "2", ""),
        ("(f 1 2) => {:a 3}", "(f 1 2)", "{:a 3}", ""),
        ("1 2 => 3", "(main 1 2)", "3", ""),
        ("=> 3", "(main)", "3", ""),
        ("(f 0) => !DivisionByZero", "(f 0)", "", "DivisionByZero"),
        ('"=>" => "a"', '(main "=>")', '"a"', ""),
    ],
    ids=["text", "call", "two", "none", "error", "arrow"],
)
def test_examples(text, call, expected, error):
    found = Example.of(text)
    assert (found.call, found.expected, found.error) == (call, expected, error)


@pytest.mark.parametrize("text", ["", "1", "(f 1 => 2", "1 =>", "1 => 2 3", "1 => (2"])
def test_no_examples(text):
    with pytest.raises(BadExample):
        Example.of(text)
