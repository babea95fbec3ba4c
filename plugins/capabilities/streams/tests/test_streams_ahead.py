"""Items fetched ahead: a program asks for one, a batch is one row; its stream is where the program is."""

from __future__ import annotations

import os
import random
import re
from itertools import count

import attrs
import pytest

from rtfs_framework import ProgramError, Session
from rtfs_framework.api import CapabilityEntry, CapabilityError, Keyword, write
from rtfs_framework.orchestrator.config.folders import journal_path
from rtfs_framework.orchestrator.recording.journal import query
from rtfs_framework.orchestrator.running.ahead import Ahead
from rtfs_framework.orchestrator.running.resuming import Resuming
from rtfs_framework.registry import load_catalog
from rtfs_framework.registry.problems import Provenance
from rtfs_framework.testing.effort import effort

NEXT = "marketplace.stream.next"
CONFIG = """
[security]
grant = ["mcp.stream.*", "marketplace.stream.*", "stream.*", "test.*"]
[capabilities.streams]
path = "streams.sqlite"
roots = ["."]
"""
MANY = """
(let [s (stream-source {:range [0 1000]})]
  (loop [sum 0] (let [found (stream-next s)] (if (nil? found) sum (recur (+ sum (:value found)))))))
"""


def items(found):
    return found.get(Keyword("items"))


@pytest.fixture
def session(tmp_path, another):
    """A session whose programs may hand a stream to another process: `(call :test.other s)` reads two items there."""
    (tmp_path / "delegation.toml").write_text(CONFIG, encoding="utf-8")
    environ = {"RTFS_HOME": str(tmp_path / "home"), "RTFS_PLUGINS": "streams"}
    catalog = load_catalog(environ)
    handed = CapabilityEntry(
        id="test.other",
        summary="Reads elsewhere.",
        handler=lambda request: items(another().call(NEXT, request.args[0], "{:max 2}")),
        blocking=True,
    )
    offered = {**catalog.capabilities, handed.id: (handed, Provenance("test", "1", "test"))}
    with Session.open(
        config_path=tmp_path / "delegation.toml",
        environ=environ,
        catalog=attrs.evolve(catalog, capabilities=offered),
        journal=True,
    ) as opened:
        yield opened


def several(most):
    return f"(loop [seen []] (if (= {most} (count seen)) seen (recur (conj seen (:value (stream-next s))))))"


def fetched(result):
    return sum(each.symbol == NEXT for each in result.calls)


def test_a_thousand_items_are_a_few_rows(session):
    result = session.run(MANY)
    assert result.value == sum(range(1000))
    assert fetched(result) == 4 + 4 + 1  # 1, 4, 16, 64, 256 thrice and the rest, then the end


@pytest.mark.parametrize(
    "source",
    ["{:range [0 1000]} {:batch 1}", '"numbers"'],
    ids=["its batches have one item", "a queue's items are one reader's"],
)
def test_what_is_fetched_item_by_item(session, source):
    session.run('(stream-produce "numbers" (vec (range 9)) {:all true})')
    result = session.run(f"(let [s (stream-source {source})] {several(9)})")
    assert result.value == tuple(range(9))
    assert fetched(result) == 9


def test_a_faulty_item_fails_when_it_is_its_turn(session, tmp_path):
    (tmp_path / "lines").write_text("1\n2\n3\n4\n5\n6\nx\n8\n")
    program = """
    (let [s (stream-source {:jsonl "lines"} {:of :int})]
      [SEVERAL (try (stream-next s) (catch e (:kind e)))])
    """
    assert write(session.run(program.replace("SEVERAL", several(6))).value) == '[[1 2 3 4 5 6] "TypeValidationError"]'


def test_after_a_faulty_item_the_stream_is_where_it_is_without_fetching_ahead(session, tmp_path, monkeypatch):
    (tmp_path / "lines").write_text("".join(f"{'x' if n in (9, 10) else n}\n" for n in range(30)))
    tried = "(try (:value (stream-next s)) (catch e (:kind e)))"
    asked = "(:seq (call :mcp.stream.inspect s))"
    program = f"""
    (let [s (stream-source {{:jsonl "lines"}} {{:of :int}})
          first-ones (mapv (fn [n] {tried}) (vec (range 13))) place {asked}]
      [first-ones place {tried} {asked}])
    """
    ahead = session.run(program).value
    monkeypatch.setattr("rtfs_framework.orchestrator.running.ahead._MOST", 1)
    assert ahead == session.run(program).value
    assert ahead[0][8:10] == (8, "TypeValidationError")


STEPS = {
    "next": "(stream-next s)",
    "several": "(stream-next s {:max 3})",
    "inspect": "(:seq (call :mcp.stream.inspect s))",
    "branches": "(pmap (fn [n] (stream-next s)) [1])",
    "mapped": "(mapv (fn [n] (stream-next s)) [1 2])",
    "ticket": "(let [t (ticket (stream-next s))] (:value t))",
    "run": "(stream-run s (fn [state n m] {:action (if (= 0 (mod n 7)) :pause :continue)}))",
    "resume": "(call :mcp.stream.resume s)",
    "nested": "(let [f (fn [] (stream-next s))] (f))",
    "other": "(stream-next (stream-source {:range [0 5]}))",
}


@pytest.mark.parametrize("options", ["{}", '{:name "NAME"}'], ids=["its own", "with a name"])
@pytest.mark.parametrize("seed", range(effort(3)))
def test_programs_see_the_same_as_one_by_one(session, seed, options, monkeypatch):
    chance = random.Random(seed)
    names = [name for name in chance.choices(list(STEPS), k=12) for _ in range(7 if name == "next" else 1)]
    steps = " ".join(f"(try {STEPS[each]} (catch e (:kind e)))" for each in names)
    program = f"(let [s (stream-source {{:range [0 400]}} {options})] [{steps}])"
    ahead = session.run(program.replace("NAME", "s-a")).value
    monkeypatch.setattr("rtfs_framework.orchestrator.running.ahead._MOST", 1)
    alone = session.run(program.replace("NAME", "s-b")).value
    of_ahead, of_alone = (re.sub('"s-[0-9a-f]+"', '"s"', write(each)) for each in (ahead, alone))
    assert of_ahead == of_alone, names


def test_where_a_run_leaves_a_stream_is_where_its_program_was(session):
    text = "(let [s (stream-source {:range [0 1000]})] (do (dotimes [i 30] (stream-next s)) s))"
    name = write(session.run(text).value).split('"')[1]
    assert session.run(f'(:seq (call :mcp.stream.inspect "{name}"))').value == 29  # the last is not done with


@pytest.mark.skipif(os.name != "posix", reason="kills processes")
@pytest.mark.parametrize(
    "moment", [3, pytest.param(9, marks=pytest.mark.slow), pytest.param(14, marks=pytest.mark.slow)]
)
def test_a_run_that_dies_anywhere_is_given_each_item_once(session, tmp_path, moment):
    program = """
    (let [s (stream-source {:range [0 300]})]
      (loop [seen []] (let [found (stream-next s)]
        (if (nil? found) seen
            (do (if (= 0 (mod (count seen) 40)) (stream-produce "out" (count seen)) nil)
                (recur (conj seen (:value found))))))))
    """
    child = os.fork()
    if child == 0:  # pragma: no cover - it is killed
        from rtfs_capability_streams.store import Store

        change, made = Store._change, count()

        def changing(self, work):
            if next(made) == moment:
                os.kill(os.getpid(), 9)
            return change(self, work)

        Store._change = changing
        environ = {"RTFS_HOME": str(tmp_path / "home"), "RTFS_PLUGINS": "streams"}
        try:
            with Session.open(
                config_path=tmp_path / "delegation.toml", environ=environ, catalog=load_catalog(environ), journal=True
            ) as own:
                own.run(program)
        finally:
            os._exit(3)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -9
    run = query.list_runs(journal_path({"RTFS_HOME": str(tmp_path / "home")}, None))[0].id
    assert session.resume(Resuming(run=run)).value == tuple(range(300))
    assert session.run('(:items (stream-next (stream-source "out") {:max 99}))').value == tuple(range(0, 300, 40))


def test_who_is_handed_a_stream_reads_on_where_its_program_is(session):
    result = session.run(
        "(let [s (stream-source {:range [0 100]})"
        f"  before {several(3)} there (call :test.other s) after {several(3)}] [before there after])"
    )
    assert write(result.value) == "[[0 1 2] [3 4] [5 6 7]]"


@pytest.mark.parametrize(
    ("then", "words"),
    [
        ("7", "items 1 to 2 of it were given to this run"),
        ("(call :mcp.stream.inspect s)", "items 1 to 2 of it were given to this run"),
        ("(call :test.other s)", "items 1 to 2 of it were given to this run"),
        ("(pmap (fn [n] n) [1 2])", "items 1 to 2 of it were given to this run"),
        (several(3), "another run has gone on"),
    ],
    ids=["its end", "a call about the stream", "any other call", "branches", "the next batch"],
)
def test_a_run_that_another_has_overtaken_is_told(session, another, monkeypatch, then, words):
    given, hand_out = [], Ahead._hand_out

    def overtaking(held):
        made = hand_out(held)
        if (held.seq, held.used) == (1, 2) and not given:
            given.append(items(another().call(NEXT, f'"{held.stream}"', "{:max 3}")))
        return made

    monkeypatch.setattr(Ahead, "_hand_out", staticmethod(overtaking))
    with pytest.raises(ProgramError, match="another run has gone on") as raised:
        session.run(f"(let [s (stream-source {{:range [0 100]}})] (do {several(3)} {then}))")
    assert words in str(raised.value)
    assert given == [(1, 2, 3)]  # nobody knows what is used of a batch before its reader says so


def started(desk, options="{}"):
    """Return the name of a stream that nobody has given one."""
    return desk.call("marketplace.stream.start", "{:range [0 9]}", options).get(Keyword("stream"))


def test_a_batch_that_nobody_has_settled_is_given_whole_to_who_comes(desk, another):
    name = started(desk)
    assert items(desk.call(NEXT, write(name), "{:max 4 :ahead true}", key="a")) == (0, 1, 2, 3)
    assert items(another().call(NEXT, write(name), "{:max 2}", key="b")) == (0, 1)
    settle = desk.entries[NEXT].ahead.settle
    for _ in range(2):
        assert "another run has gone on" in settle("", name, 0, 2)
    with pytest.raises(CapabilityError, match="another run has gone on"):
        desk.call(NEXT, write(name), "{:max 4 :ahead true :after 4}", key="c")
    assert items(another().call(NEXT, write(name), "{:max 9}", key="d")) == tuple(range(2, 9))


def test_who_runs_a_stream_is_given_what_was_fetched_ahead_too(desk, another):
    name = started(desk, "{:batch 8}")
    desk.call(NEXT, write(name), "{:max 4 :ahead true}", key="a")
    assert items(another().call("mcp.stream.next", write(name), "{}", key="b")) == tuple(range(8))
    assert "another run has gone on" in desk.entries[NEXT].ahead.settle("", name, 0, 2)


def test_what_was_settled_may_be_said_again_by_a_run_that_is_gone_on_with(desk, another):
    name = started(desk)
    desk.call(NEXT, write(name), "{:max 4 :ahead true}", key="a")
    settle = desk.entries[NEXT].ahead.settle
    assert [settle("", name, 0, 2) for _ in range(2)] == ["", ""]
    assert items(another().call(NEXT, write(name), "{:max 2}", key="b")) == (2, 3)
    assert settle("", name, 0, 2) == ""
