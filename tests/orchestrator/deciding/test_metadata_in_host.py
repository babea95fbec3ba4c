"""Metadata reach engines: from the Python API, from the program, and from capabilities; branches keep their own."""

from __future__ import annotations

import pytest

from rtfs_framework.api import DelegationMetadata, Described

PROGRAM = """
(defn ^{:intent "triage" :confidence 0.9} f [x] :own)
(defn g [x] :own)
(defn main [x] (f x))
(defn around [x] ^{:runtime.delegation {:confidence 0.2 :who "me"}} (g x))
(defn asks [x] (call :kv.get x) (g x))
(defn many [xs] (pmap asks xs))
(defn after [xs] (many xs) (g 0))
"""


class Looks:
    """Has no opinion, and keeps what it reads."""

    def __init__(self):
        self.seen = []

    def claims(self):
        return ("f", "g")

    def decide(self, context):
        self.seen.append((context.symbol, context.metadata))


@pytest.fixture
def looked(kit, source, capability):
    """Return a function that calls a function of the program and returns what the engine read."""

    def described(request):
        return Described(request.args[0], DelegationMetadata(confidence=request.args[0] / 10, context={"of": "kv"}))

    def run(name, *args, load=None, call=None):
        engine = Looks()
        catalog = kit.catalog(engine=engine, capabilities=[capability("kv.get", described)])
        with kit.open(catalog, "[security]\ngrant = ['kv.get']\n") as session:
            result = session.load(source(PROGRAM), metadata=load).call(name, args, metadata=call)
        return engine.seen, result

    return run


def test_the_author_says_it_of_a_function(looked):
    ((symbol, found),), _ = looked("main", 1)
    assert (symbol, found.confidence, found.context, found.source) == ("f", 0.9, {"intent": "triage"}, "program")


def test_whoever_runs_the_program_says_it_of_all_calls_or_of_one(looked):
    load = DelegationMetadata(confidence=0.5, reasoning="as ever", context={"intent": "draft"})
    ((_, found),), _ = looked("main", 1, load=load)
    assert (found.confidence, found.reasoning, found.source) == (0.5, "as ever", "python")
    ((_, found),), _ = looked("main", 1, load=load, call=DelegationMetadata(confidence=0.4, source="me"))
    assert (found.confidence, found.reasoning, found.source) == (0.4, "as ever", "me")
    assert found.context == {"intent": "draft"}


def test_an_expression_says_it_of_what_it_calls(looked):
    ((_, found),), _ = looked("around", 1, call=DelegationMetadata(confidence=0.5, reasoning="x"))
    assert (found.confidence, found.context, found.reasoning, found.source) == (0.2, {"who": "me"}, "x", "program")


def test_a_capability_says_it_of_what_follows(looked):
    ((_, found),), result = looked("asks", 3)
    assert (found.confidence, found.context, found.source) == (0.3, {"of": "kv"}, "capability kv.get")
    assert result.calls[0].target == "capability kv.get"


def test_what_is_said_in_a_branch_stays_there(looked):
    seen, _ = looked("after", (1, 2, 3))
    inside, outside = seen[:-1], seen[-1][1]
    assert sorted(found.confidence for _, found in inside) == [0.1, 0.2, 0.3]
    assert outside == DelegationMetadata()


def test_it_is_in_the_footprint(looked):
    _, result = looked("main", 1)
    assert [read for read, *_ in result.calls[0].decision.footprint] == [("metadata",)]
