"""Operator, then arguments from left to right, then the call: whatever is called, and with every set of passes."""

from __future__ import annotations

import pytest

from rtfs_framework.kernel.instance import Instance
from rtfs_framework.kernel.loader import compile_source
from rtfs_framework.kernel.outcome import Complete
from rtfs_framework.lang.errors import LanguageError, ProgramError, generic_error
from rtfs_framework.lang.maps import Map
from rtfs_framework.lang.passes.table import ALL
from rtfs_framework.lang.values import Keyword

SETS = [frozenset(), *(frozenset({name}) for name in sorted(ALL)), *(ALL - {name} for name in sorted(ALL)), ALL]
CONTEXT = {"endpoint": 7, "word": Keyword("k"), "table": Map.of([(1, "one")]), "nothing": None, "items": (1, 2)}
"""What the host's context holds; it knows no other free name."""
CALLABLE = ["word", "table", "items", "+", "vector", ":k", "(fn [a b] a)", "(fn [a] a)", "f", "assoc", "inc"]
NOT_CALLABLE = ["endpoint", "nothing", "5", '"text"', "nil", "true", "g"]
WRAPPED = [
    "%s",
    "(let [y 1] %s)",
    "(do 1 %s)",
    "(if true %s nil)",
    "(do (call :op) %s)",
    "(identity %s)",
    "(try %s (catch e e))",
]
DEFINED = "(defn f [a b] [a b]) (def g 5) "
ARGUMENTS = "(call :a) (let [x (call :b)] x)"


def traced(text, passes):
    """Return the outcome of a program and what it asked, in order."""
    asked = []
    try:
        run = Instance(compile_source(text, passes=passes)).start()
        outcome = run.step()
        while not isinstance(outcome, Complete):
            name = outcome.call.capability
            asked.append(name)
            if name in ("a", "b", "op"):
                outcome = run.resume(len(asked))
            elif name in CONTEXT:
                outcome = run.resume(CONTEXT[name])
            else:
                outcome = run.throw(generic_error(f"no {name}"))
        made = repr(outcome.value)
    except (ProgramError, LanguageError) as error:
        made = getattr(error, "kind", None) or error.__class__.__name__
    return made, asked


@pytest.mark.parametrize("wrapped", WRAPPED)
@pytest.mark.parametrize("operator", [*CALLABLE, *NOT_CALLABLE, "unheard-of"])
def test_a_call_means_the_same_with_every_set_of_passes(operator, wrapped):
    text = f"{DEFINED}({wrapped % operator} {ARGUMENTS})"
    first = traced(text, SETS[0])
    assert {name: traced(text, name) for name in SETS} == dict.fromkeys(SETS, first)


@pytest.mark.parametrize("wrapped", WRAPPED)
@pytest.mark.parametrize("operator", NOT_CALLABLE)
def test_what_cannot_be_called_fails_after_its_arguments(operator, wrapped):
    made, asked = traced(f"{DEFINED}({wrapped % operator} {ARGUMENTS})", ALL)
    assert (made, asked[-2:]) == ("TypeError", ["a", "b"])


def test_a_name_that_nobody_knows_fails_before_its_arguments():
    made, asked = traced(f"(try (unheard-of {ARGUMENTS}) (catch e (:kind e)))", ALL)
    assert (made, asked) == ("'Generic'", ["unheard-of"])
