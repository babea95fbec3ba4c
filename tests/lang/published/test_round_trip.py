"""IR as bytes and back: every program of the conformance suite and of the file tests is the same program afterwards."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import get_args

import pytest

from rtfs_framework.kernel.instance import Instance
from rtfs_framework.kernel.loader import compile_source, surroundings
from rtfs_framework.kernel.publishing import _analyzer, compile_published
from rtfs_framework.kernel.purehost import PureHost
from rtfs_framework.lang.codegen.program import emit_program
from rtfs_framework.lang.codegen.unit import Unit
from rtfs_framework.lang.errors import LanguageError, ProgramError
from rtfs_framework.lang.ir import loops
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.passes.table import ALL, optimise
from rtfs_framework.lang.pipeline import analyze
from rtfs_framework.lang.printer import write
from rtfs_framework.lang.published import data
from rtfs_framework.lang.published.decode import decode
from rtfs_framework.lang.published.encode import encode
from rtfs_framework.lang.published.rows import PublishedError
from rtfs_framework.lang.published.tables import NODES, PATTERNS
from rtfs_framework.lang.reader.read import read_program
from rtfs_framework.lang.source import Source
from rtfs_framework.lang.stack import room_for_recursion
from rtfs_framework.lang.types.model import Type
from rtfs_framework.testing.cases.model import read_cases

TESTS = Path(__file__).parents[2]
CASES = [case.source for case in read_cases([TESTS / "conformance"])]
CHUNKS = [
    chunk
    for path in sorted((TESTS / "filetests").rglob("*.rtfs"))
    for chunk in re.split(r"^---$", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
]
AROUND = surroundings()
_NUMBER = re.compile(r"(?<=_)\d+")


def program_of(text):
    source = Source("<test>", text)
    analyzer = _analyzer(source, AROUND)
    return analyze(analyzer, read_program(source, nesting=AROUND.nesting))


def python_of(program):
    """What is compiled of a program, the numbers of its local names left out."""
    made = optimise(program, AROUND.library, ALL)
    return _NUMBER.sub("#", ast.unparse(emit_program(made, Unit(), ALL)))


@room_for_recursion()
def differs(text, *, compiled):
    """Tell how a program differs after it was written and read; None where it does not, or is no program."""
    try:
        program = program_of(text)
    except LanguageError:
        return None
    blob = encode(program, "0")
    again = decode(blob, AROUND.library).program
    if encode(again, "0") != blob:
        return "other bytes"
    try:
        return None if not compiled or python_of(program) == python_of(again) else "other code"
    except RecursionError:
        return None


@pytest.mark.parametrize("texts", [CASES, CHUNKS], ids=["conformance", "filetests"])
def test_every_program_comes_back_as_the_same_program(texts):
    assert len(texts) > 300
    assert [text for i, text in enumerate(texts) if differs(text, compiled=i % 5 == 0)] == []


@pytest.mark.slow
@pytest.mark.parametrize("texts", [CASES, CHUNKS], ids=["conformance", "filetests"])
def test_every_program_comes_back_as_the_same_code(texts):
    assert [text for text in texts if differs(text, compiled=True)] == []


def outcome(artifact):
    try:
        return write(PureHost().finish(Instance(artifact).start()))
    except ProgramError as error:
        return error.kind, error.value.message


def test_programs_that_ask_nothing_give_the_same_results():
    ran = 0
    for text in CASES[::9]:
        try:
            blob = encode(program_of(text), "0")
            artifact = compile_published(blob)
        except (LanguageError, PublishedError):
            continue
        ran += 1
        given, wanted = outcome(artifact), outcome(compile_source(text))
        assert re.sub(r"[\w:<>.]*:\d+:\d+|_\d+f", "", str(given)) == re.sub(r"[\w:<>.]*:\d+:\d+|_\d+f", "", str(wanted))
    assert ran > 60


def test_the_same_program_in_other_words_is_the_same_bytes():
    one = encode(program_of("(defn f [x] (if (> x 1) (+ x 1) 2)) (f 1)"), "0")
    other = encode(program_of("; a remark\n(defn f\n  [x]\n  (if (> x 1)\n    (+ x 1)\n    2))\n\n(f 1)"), "0")
    assert one == other
    assert encode(program_of("(defn f [y] (if (> y 1) (+ y 1) 2)) (f 1)"), "0") != one


def test_every_kind_of_node_and_pattern_has_its_place():
    made_by_passes = set(get_args(loops.Made))
    assert {cls for cls, _ in NODES.values()} == set(get_args(ir.Node)) - made_by_passes
    assert {cls for cls, _ in PATTERNS.values()} == set(get_args(ir.Pattern))
    assert {cls for cls, _ in data._TYPES.values()} == {each for each in get_args(Type) if each.__name__ != "Primitive"}


def test_every_field_of_a_node_is_written_or_found_out_again():
    again = {"span", "entry", "op"}
    for cls, fields in [*NODES.values(), *PATTERNS.values()]:
        if cls is not ir.Fn:
            named = {name for name, _ in fields}
            assert {field.name for field in cls.__record_fields__} - again == named, cls


def test_what_passes_have_changed_is_not_written():
    program = optimise(program_of("(reduce + 0 (map inc (filter odd? [1 2 3])))"), AROUND.library, ALL)
    with pytest.raises(PublishedError, match="no pass has changed"):
        encode(program, "0")


@pytest.mark.parametrize(
    "text",
    ["1", "-9007199254740993", "1.5", "-0.0", "##Inf", '"\\n\\u00e9"', ":a/b", "'x", "'(1 2)", "#{1 2}", "{:a {}}"],
)
def test_constants_come_back_as_they_were(text):
    program = program_of(f"(quote {text.removeprefix(chr(39))})")
    again = decode(encode(program, "0"), AROUND.library).program
    assert write(program.body[0].value) == write(again.body[0].value)
