"""Passes and codegen know a library function by its record (`lang/library.py`), not by its name.

What a function is to them stands where it is declared; so an alias, or another function that declares the same, is
treated alike. A name stands only where code is made that calls a function.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from rtfs_framework.kernel import effects
from rtfs_framework.kernel.host_table import HOST
from rtfs_framework.kernel.prelude import PRELUDE
from rtfs_framework.lang import codegen, passes
from rtfs_framework.lang.library import Gives, Op
from rtfs_framework.stdlib.library import BUILTINS

assert effects.call  # its import enters the host's names
LIBRARY = {**PRELUDE, **BUILTINS, **HOST}
FILES = sorted(path for package in (passes, codegen) for path in Path(package.__path__[0]).glob("*.py"))
MADE = {
    "passes/loop_bodies": {"<", "inc"},  # `dotimes` is a loop that counts
    "passes/fuse": {"nil?", "reduced?", "unreduced"},  # `keep` leaves nil out, and `reduce` ends with what is reduced
    "codegen/in_place": {"assoc", "nth", "pop"},  # the library refuses a place that is none
}
"""Names of functions that a file makes calls of."""
OTHER = {
    *("len", "int", "float", "str", "range", "get", "drop"),  # Python's, and a destination
    *("count", "last", "rest", "key", "numbers", "length", "map", "vector"),  # words for variables, kinds and passes
}
"""What is written in codegen and passes, and is a function's name only by chance."""


def texts(path):
    """Return the texts in a file."""
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    return {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_file_names_no_function_but_those_that_it_makes_calls_of(path):
    made = MADE.get(f"{path.parent.name}/{path.stem}", set())
    assert made <= LIBRARY.keys()
    assert (texts(path) & LIBRARY.keys()) - OTHER == made


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_nothing_asks_for_the_name_of_a_function(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.MatchClass) and "name" in node.kwd_attrs and ast.unparse(node.cls) == "ir.Builtin":
            asked = node.kwd_patterns[node.kwd_attrs.index("name")]
            assert isinstance(asked, ast.MatchAs) or ast.unparse(asked).startswith("'%")  # the compiler's own


def words(kind):
    return {value for name, value in vars(kind).items() if name.isupper()}


@pytest.mark.parametrize(
    ("trait", "known"),
    [
        ("op", words(Op) - {Op.BEGUN}),
        ("gives", words(Gives)),
    ],
)
def test_every_word_of_a_trait_is_declared_by_some_function(trait, known):
    assert {getattr(record, trait) for record in LIBRARY.values()} - {""} == known
