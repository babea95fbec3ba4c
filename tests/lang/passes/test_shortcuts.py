"""Every inline form gives what its builtin gives, error and steps included, for arguments of every kind and size."""

from __future__ import annotations

from itertools import product

import pytest

from rtfs_framework.kernel.instance import Instance
from rtfs_framework.kernel.loader import compile_source
from rtfs_framework.lang.canonical import canonical_print
from rtfs_framework.lang.errors import ProgramError
from rtfs_framework.lang.maps import COPY_BELOW, EMPTY_MAP, Map, Set
from rtfs_framework.lang.meter import LARGE_INTEGER, SHORT, SMALL
from rtfs_framework.lang.passes.table import ALL
from rtfs_framework.lang.values import Keyword
from rtfs_framework.lang.vectors import GROW_AT, GrownVector, List
from rtfs_framework.stdlib.library import BUILTINS

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
INLINE = [(name, count) for name, record in BUILTINS.items() if name == record.name for count in record.inline]
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


@pytest.mark.parametrize("shape", INLINE, ids=lambda shape: "/".join(map(str, shape)))
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


FIELDS = ("(assoc a :b c)", '(assoc (identity a) "b" (identity c))', "(assoc (assoc {:a a} :b c) :a (assoc a :b nil))")


@pytest.mark.parametrize("call", FIELDS)
def test_an_entry_under_a_constant_key_is_set_as_the_library_sets_it(call):
    inline, plain = both(f"[{call} a]")
    full = (Map.wrap(dict.fromkeys(map(str, range(size)), 0)) for size in (COPY_BELOW - 1, COPY_BELOW))
    for subject, value in product((*POOL, *full), LAST):
        arguments = subject, None, value
        assert outcome(inline, arguments) == outcome(plain, arguments), arguments


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
