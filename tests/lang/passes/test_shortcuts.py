"""Every inline form gives what its builtin gives, error and steps included, for arguments of every kind and size."""

from __future__ import annotations

import ast
from itertools import product

import pytest

from rtfs_framework.kernel.instance import Instance
from rtfs_framework.kernel.loader import compile_source, surroundings
from rtfs_framework.lang.canonical import canonical_print
from rtfs_framework.lang.codegen.program import emit_program
from rtfs_framework.lang.codegen.templates import TEMPLATES
from rtfs_framework.lang.codegen.unit import Unit
from rtfs_framework.lang.errors import ProgramError
from rtfs_framework.lang.maps import EMPTY_MAP, Map, Set
from rtfs_framework.lang.meter import LARGE_INTEGER, SHORT, SMALL
from rtfs_framework.lang.passes.table import ALL
from rtfs_framework.lang.source import Source
from rtfs_framework.lang.values import Keyword
from rtfs_framework.lang.vectors import GROW_AT, GrownVector, List
from rtfs_framework.lang.views import view

NUMBERS = (0, 1, -1, GROW_AT, SHORT, LARGE_INTEGER, 1.0, -0.5, float("nan"), True, None)
SIZES = (1, GROW_AT - 1, GROW_AT, SMALL - 1, SMALL)
GROWN = GrownVector([5, 7, *range(GROW_AT)], GROW_AT, 1)
TRIE = Map.wrap({key: key for key in range(20)}).assoc(True, "true").assoc(1.0, "one")
COLLECTIONS = (
    *((), (None,), (1, 2.5, True), *(tuple(range(size)) for size in SIZES), GROWN, GrownVector([3], 0)),
    *(List(), List((1, 2)), EMPTY_MAP, Map.of([(1, "a"), (True, "b"), (1.0, "c"), (Keyword("a"), None)]), TRIE),
    *(Set.of([1, Keyword("a")]), "", " aß ", "b" * (SHORT - 1), "b" * SHORT, Keyword("a")),
)
POOL = (*NUMBERS, *COLLECTIONS)
LAST = (0, GROW_AT, 1.0, "a")


def outcome(instance, arguments):
    run = instance.call("f", arguments)
    try:
        return canonical_print(run.step().value), run.steps
    except ProgramError as error:
        return error.kind, str(error), run.steps


def both(call):
    """Return the program with all that is inline, and with nothing that is."""
    texts = f"(defn f [a b c] {call})"
    made = [Instance(compile_source(texts, passes=passes)) for passes in (ALL, {"mutual"})]
    for instance in made:
        instance.start().step()
    return made


@pytest.mark.parametrize("shape", TEMPLATES, ids=lambda shape: "/".join(map(str, shape)))
def test_an_inline_call_is_the_call(shape):
    name, count = shape
    letters = "abc"[:count]
    named, made = " ".join(letters), " ".join(f"(identity {letter})" for letter in letters)
    calls = [*both(f"({name} {named})"), *both(f"({name} {made})")]
    pools = (POOL, POOL if count > 1 else (None,), LAST if count > 2 else (None,))
    for arguments in product(*pools):
        inline, plain, inline_made, plain_made = (outcome(instance, arguments) for instance in calls)
        assert inline == plain, (shape, arguments)
        assert inline_made == plain_made, (shape, arguments)


CONSTANT_KEYS = [
    f"({name} a {key}{more})"
    for name, more in (
        ("get", ""),
        ("get", " c"),
        ("contains?", ""),
        ("assoc", " c"),
        ("nth", ""),
        ("nth", " c"),
        ("subvec", " 2"),
        ("mod", ""),
        ("quot", ""),
        ("max", ""),
        ("/", ""),
    )
    for key in ("0", "-1", "2", "31", ":a", '"b"', "true", "1.0", "nil")
]


@pytest.mark.parametrize("call", CONSTANT_KEYS)
def test_an_inline_call_with_a_constant_is_the_call(call):
    inline, plain = both(call)
    for arguments in product(POOL, (None,), LAST):
        assert outcome(inline, arguments) == outcome(plain, arguments), (call, arguments)


def test_what_cannot_be_negative_is_not_asked():
    ends = "[(nth v i) (nth v j) (quot i 2) (quot j 2)]"
    text = f"(defn f [v] (loop [i 0 j 9] (if (< i 9) (recur (inc i) (dec j)) {ends})))"
    program = view(Source("f.rtfs", text), surroundings()).program
    made = ast.unparse(emit_program(program, Unit(), frozenset({"numbers", "shortcuts"})))
    assert "v_1[loop_4] if v_1.__class__ is tuple and loop_4 < len(v_1) else" in made
    assert "v_1[loop_5] if v_1.__class__ is tuple and -1 < loop_5 < len(v_1) else" in made
    assert "loop_4 // 2, loop_5 // 2 if loop_5 >= 0 else" in made
