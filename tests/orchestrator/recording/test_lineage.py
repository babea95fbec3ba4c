"""Which replies a run rests on: those it was given before, its parents', the top-level forms'; never fewer."""

from __future__ import annotations

import pytest

from rtfs_framework.api import CacheInfo, DelegationMetadata
from rtfs_framework.orchestrator.recording.lineage import MOST, Lineage, rests_on

CONFIG = "[delegation.remote_providers.acme]\nprovider = 'acme'\nreuse = 'always'\n"
SAID = DelegationMetadata(context={"task": "t1", "tags": "x y"})
ASK = '(defn ^:delegation :remote "acme" f "Ask." [x :string] :string "own")\n'


@pytest.fixture
def kept(kit, source):
    """Return a function that runs a program and calls: by argument, what is known of each kept reply."""

    def run(text, *calls):
        entry = kit.provider("acme", lambda request: request.args[0], remote=True)
        with kit.open(kit.catalog(entry, l2=True), CONFIG) as session, session.load(source(ASK + text)) as program:
            for name, *args in calls:
                program.call(name, tuple(args))
        infos = [record.info for record in kit.layers["l2"].records.values()]
        return {info.reply.partition(":")[2]: [each.partition(":")[2] for each in info.sources] for info in infos}

    return run


def test_a_reply_rests_on_all_before_it_in_its_run(kept):
    assert kept('(f "a") (f "b") (f "c")') == {"0:0": [], "0:1": ["0:0"], "0:2": ["0:0", "0:1"]}


def test_branches_rest_on_their_parents_and_not_on_each_other(kept):
    found = kept('(f "a") (pmap (fn [x] (f x)) ["b" "c"]) (f "d")')
    assert found["0:1.0.0"] == ["0:0"]
    assert found["0:1.1.0"] == ["0:0"]
    assert sorted(found["0:2"]) == ["0:0", "0:1.0.0", "0:1.1.0"]


def test_nested_branches_count_for_all_around_them(kept):
    found = kept('(pmap (fn [x] (do (pmap f [x (str x x)]) (f (str x "!")))) ["a" "b"]) (f "d")')
    inner = {name: sources for name, sources in found.items() if name.startswith("0:0.0.0.")}
    assert list(inner.values()) == [[], []]
    assert sorted(found["0:0.0.1"]) == sorted(inner)
    assert len(found["0:1"]) == 6


def test_whoever_awaits_a_ticket_rests_on_what_its_body_was_given(kept):
    """Whichever branch awaits it first."""
    found = kept(
        '(defn g [] (f "b")) (let [t (ticket (g))] (pmap (fn [x] (let [y (await t)] (f (str x y)))) ["c" "d" "e"]))'
    )
    assert {name: sources for name, sources in found.items() if name.startswith("0:1.")} == {
        f"0:1.{branch}.0": ["0:0.0.0"] for branch in range(3)
    }


def test_later_calls_rest_on_the_top_level_and_not_on_each_other(kept):
    found = kept('(def a (f "a")) (defn g [x :string] (f x))', ("g", "b"), ("g", "c"))
    assert found == {"0:0": [], "1:0": ["0:0"], "2:0": ["0:0"]}


def test_a_program_that_keeps_values_counts_as_one(kept):
    found = kept("(def m (memoize (fn [x] (f x)))) (defn g [x :string] (m x))", ("g", "b"), ("g", "c"))
    assert found == {"1:0": [], "2:0": ["1:0"]}


def test_a_reply_from_memory_brings_what_it_rests_on(kit, source):
    entry = kit.provider("acme", lambda request: request.args[0], remote=True)
    catalog = kit.catalog(entry, l2=True)
    for text in ('(f "a") (f "b")', '(f "b") (f "c")'):
        with kit.open(catalog, CONFIG) as session:
            session.run(source(ASK + text))
    a, b, c = (record.info for record in kit.layers["l2"].records.values())
    assert b.sources == (a.reply,)
    assert c.sources == (b.reply, a.reply)
    assert [rests_on(each, a.reply) for each in (a, b, c)] == [True] * 3
    assert [rests_on(each, c.reply) for each in (a, b, c)] == [False, False, True]


def test_what_is_known_is_kept_beside_a_reply(kit, source):
    entry = kit.provider("acme", lambda _: "paid", remote=True)
    with kit.open(kit.catalog(entry, l2=True), CONFIG + "input_cost = 1.0\n", tenant="blue") as session:
        result = session.run(source(ASK + '(f "a")'), metadata=SAID)
    ((record),) = kit.layers["l2"].records.values()
    info = record.info
    assert (info.symbol, info.target, info.tenant) == ("f", "remote acme", "blue")
    assert (info.reply, info.task, info.tags) == (f"{result.run_id}:0:0", "t1", ("x", "y"))
    assert info.seconds is not None


def test_what_rests_on_anything_still_does_when_it_is_told_by_runs():
    lineage = Lineage()
    for i in range(MOST):
        lineage.add(f"run:0:{i}")
    lineage.add("other:0:1", ("*",))
    assert rests_on(CacheInfo(sources=lineage.sources), "third:0:1")


def test_many_replies_are_told_by_their_run_and_many_runs_as_any():
    lineage = Lineage()
    for i in range(MOST):
        lineage.add(f"run:0:{i}")
    assert len(lineage.sources) == MOST
    lineage.add(f"run:0:{MOST}")
    lineage.add("run:0:9999")
    assert lineage.sources == ("run:*",)
    for i in range(MOST):
        lineage.add(f"r{i}:0:0")
    assert len(lineage.sources) == MOST + 1 or "*" in str(lineage.sources)
    for i in range(3 * MOST):
        lineage.add(f"s{i}:0:0")
    assert lineage.sources == ("*",)


@pytest.mark.parametrize(
    ("sources", "rests"),
    [(("r:0:1",), True), (("r:0:2",), False), (("r:*",), True), (("q:*",), False), (("*",), True), ((), False)],
)
def test_what_rests_on_a_reply(sources, rests):
    assert rests_on(CacheInfo(reply="z:0:0", sources=sources), "r:0:1") is rests
