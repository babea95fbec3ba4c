"""An alias is another word for a function and nothing else: the same code, the same steps, whatever it is given."""

from __future__ import annotations

from types import CodeType

import pytest

from rtfs_framework.kernel import effects
from rtfs_framework.kernel.host_table import HOST
from rtfs_framework.kernel.instance import Instance
from rtfs_framework.kernel.limits import Limits
from rtfs_framework.kernel.loader import compile_source
from rtfs_framework.kernel.prelude import PRELUDE
from rtfs_framework.lang.passes.table import ALL
from rtfs_framework.stdlib.library import BUILTINS

assert effects.call  # its import enters the host's names
TABLE = {**BUILTINS, **HOST, **PRELUDE}
ALIASES = sorted((alias, name) for alias, name in ((word, TABLE[word].name) for word in TABLE) if alias != name)
GIVEN = ("x", '" a "', "1", "1.5", "[x]")
"""What programs give: of an unknown kind, and of known ones."""
ROUNDS = 1_000


def calls(word, record):
    """Yield calls with every number of arguments that a function takes, up to one more than the least and three."""
    most = record.low + 1 if record.high is None else record.high
    for count in range(record.low, min(most, 3) + 1):
        for given in GIVEN if count else ("",):
            yield f"({' '.join([word, given, *['y'] * (count - 1)])})" if count else f"({word})"


def programs(word, record):
    """Yield programs in which a word is called, tested, passed on and called for every item."""
    for call in calls(word, record):
        yield f"(defn f [x y] {call}) (defn g [x y] (if {call} 1 2))"
        yield f"(defn f [x y] (loop [i 0] (if (< i 3) (do {call} (recur (+ i 1))) {call})))"
    if record.low <= 1:
        yield f"(defn f [xs] (map {word} (filter (fn [x] ({word} x)) xs)))"
    yield f"(def f {word}) (defn g [xs] (apply {word} xs))"


def shape(code):
    """Return all of a code object but where its text stands."""
    inner = tuple(shape(each) if isinstance(each, CodeType) else (type(each), each) for each in code.co_consts)
    return code.co_name, code.co_code, code.co_names, code.co_varnames, code.co_freevars, inner


def made(text, passes):
    artifact = compile_source(text, prelude=True, passes=passes)
    return shape(artifact.code), artifact.builtins, artifact.helpers, [(e.name, e.purity) for e in artifact.effects]


def steps(word, call):
    text = f"(dotimes [i {ROUNDS}] (try {call.replace('x', '[1 2]').replace('y', 'i')} (catch e nil)))"
    run = Instance(compile_source(text), limits=Limits()).start()
    run.step()
    return run.steps


def test_there_are_aliases():
    assert len(ALIASES) >= 14
    assert all(TABLE[alias] is TABLE[name] for alias, name in ALIASES)


@pytest.mark.parametrize(("alias", "name"), ALIASES)
def test_the_code_of(alias, name):
    record = TABLE[name]
    for passes in (ALL, frozenset()):
        for one, other in zip(programs(alias, record), programs(name, record), strict=True):
            assert made(one, passes) == made(other, passes), one


@pytest.mark.parametrize(("alias", "name"), [pair for pair in ALIASES if TABLE[pair[1]].effect is None])
def test_the_steps_of(alias, name):
    record = TABLE[name]
    for one, other in zip(calls(alias, record), calls(name, record), strict=True):
        assert steps(alias, one) == steps(name, other), one


@pytest.mark.parametrize(("alias", "name"), [pair for pair in ALIASES if TABLE[pair[1]].low])
def test_a_wrong_number_of_arguments_is_told_of_the_word_that_was_written(alias, name):
    findings = compile_source(f"(defn f [] ({alias}))").diagnostics
    assert [each.code for each in findings] == ["E0204"]
    assert f"Arity mismatch in {alias}: expected" in findings[0].message
    assert f"({alias} {TABLE[name].signature})" in findings[0].help
