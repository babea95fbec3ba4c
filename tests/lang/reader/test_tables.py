"""The parser's tables are those of the grammar, and are used as they are."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from rtfs_framework.lang.errors import LanguageError
from rtfs_framework.lang.meter import NESTING
from rtfs_framework.lang.reader import tables
from rtfs_framework.lang.reader.lexer import tokens
from rtfs_framework.lang.reader.read import read_program
from rtfs_framework.lang.reader.reading import Reading
from rtfs_framework.lang.source import Source


def test_the_tables_are_current():
    kept = Path(tables.__file__).with_name("tables.json").read_text(encoding="utf-8")
    assert json.loads(kept) == json.loads(tables.build()), "run python docs/generate.py"


def test_lark_is_not_imported_to_read():
    code = "from rtfs_framework.lang.reader.read import read_program; from rtfs_framework.lang.source import Source; "
    code += "import sys; print(len(read_program(Source('p', \"(a [b {:c 'd}]) ^:pure x\"))), 'lark' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=50)
    assert done.stdout == "2 False\n"


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("a b c", ["FORMS"]),
        ("(+ 1 2) x [y]", ["FORMS"]),
        ("(f (g x) y)", ["LIST", "FORMS", "LIST_END"]),
        ("'a b", ["QUOTE", "FORMS"]),
        ("a '(b) c", ["FORMS", "QUOTE", "FORMS"]),
        ("^:pure x y", ["CARET", "KEYWORD", "FORMS"]),
        ("^{:a 1} x", ["CARET", "MAP", "FORMS", "MAP_END", "FORMS"]),
        ("()", ["FORMS"]),
        ("", []),
    ],
)
def test_a_run_of_forms_is_one_token(text, kinds):
    reading = Reading(Source("p", text), 0, NESTING)
    assert [token.type for token in tokens(text, reading)] == kinds


def test_tokens_grow_as_the_text_does():
    text = '(defn f [x] (if (> x 1) {:a [x "s"]} \'y))\n'
    first, second, third = (len(tokens(text * n, Reading(Source("p", ""), 0, NESTING))) for n in (100, 200, 300))
    assert third - second == second - first == 1_100


@pytest.mark.parametrize("depth", [NESTING, NESTING + 1])
@pytest.mark.parametrize("inner", ["", "x", "[]"])
def test_the_deepest_bracket_counts_like_any_other(depth, inner):
    extra = 1 if inner == "[]" else 0
    text = "(" * (depth - extra) + inner + ")" * (depth - extra)
    if depth <= NESTING:
        assert len(read_program(Source("p", text))) == 1
    else:
        with pytest.raises(LanguageError, match="E0107"):
            read_program(Source("p", text))


def test_prefixes_nest_no_deeper_than_twice_that():
    assert len(read_program(Source("p", "'" * NESTING + "x"))) == 1
    with pytest.raises(LanguageError, match="E0107"):
        read_program(Source("p", "'" * (2 * NESTING + 1) + "x"))
    many = " ".join(["'x"] * 1_000)
    assert len(read_program(Source("p", many))) == 1_000


def test_mistakes_of_every_kind_are_told_in_the_order_of_the_text():
    with pytest.raises(LanguageError) as caught:
        read_program(Source("p", '1x {:a} "\\q" `'))
    assert [found.code for found in caught.value.diagnostics] == ["E0105", "E0108", "E0106", "E0101"]
