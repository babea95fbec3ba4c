"""A run that outlives its process: the same further calls, the same value, each effect once."""

from __future__ import annotations

import pytest

from rtfs_framework.orchestrator.recording.journal import query, walk
from rtfs_framework.orchestrator.recording.journal.fault import JournalError
from rtfs_framework.orchestrator.recording.journal.outside import tell
from rtfs_framework.orchestrator.recording.journal.verify import verify_all
from rtfs_framework.orchestrator.recording.purse import RunParked
from rtfs_framework.orchestrator.recording.run_scope import OpenCall
from rtfs_framework.orchestrator.running import past_calls

PROGRAM = """
(defn ^{:delegation :remote "m"} ask [x : :string] : :string "own")
(defn tell [x] (call :put x))
(def top (call :put "top"))
(defn main [x]
  (let [a (ask x)
        b (mapv tell [(str a 1) (str a 2)])
        c (call :send (str (first b) "!"))
        d (pmap ask ["p" "q" "r"])]
    (context/set :seen c)
    [top a b c d (context/get :seen)]))
""".replace('^{:delegation :remote "m"}', '^:delegation :remote "m"')


def whole(world, source):
    """Run it without a death; return its value and the effects."""
    with world.open() as session:
        value = session.run(source(PROGRAM), ("x",)).value
    effects = sorted((name, arg) for name, _, arg in world.effects)
    (world.kit.home / "effects.txt").unlink()
    return value, effects


def test_killed_at_each_moment_and_gone_on_with(world, source):
    value, effects = whole(world, source)
    for moment in range(1, 60, 6):  # test_crash_matrix.py has them all
        (world.kit.home / "effects.txt").unlink(missing_ok=True)

        def work():
            with world.open() as session:
                session.run(source(PROGRAM), ("x",))

        before = len(query.list_runs(world.kit.journal))
        ended = world.die_at(moment, work)
        if len(query.list_runs(world.kit.journal)) == before:
            continue  # it died before its first row: it never was
        if ended:
            break
        row = query.list_runs(world.kit.journal)[0]
        if row.status == "complete":
            continue
        assert row.status == "unfinished"
        result = world.settle(row.id)
        assert result.value == value
        once = [(name, arg) for name, key, arg in dict.fromkeys(world.effects) if name != "model"]
        assert sorted(once) == [each for each in effects if each[0] != "model"]
        sent = [arg for name, _, arg in world.effects if name == "send"]
        assert len(sent) == 1, "an effect that must not be made twice"
    else:
        pytest.fail("it never came to its end")
    assert moment > 10
    assert verify_all(world.kit.journal, world.kit.home).ok


def test_a_run_that_has_ended_is_not_gone_on_with(world, source):
    with world.open() as session:
        run = session.run(source(PROGRAM), ("x",)).run_id
    with pytest.raises(JournalError, match="is complete"):
        world.resume(run)


def test_a_model_that_may_be_asked_twice_is_asked_with_the_same_key(world, source):
    text = """
(defn ^:delegation :remote "m" ask [x : :string] : :string "own")
(defn main [] [(ask "a") (ask "b")])"""

    def work():
        with world.open() as session:
            session.run(source(text), entry="main")

    for moment in range(20):
        (world.kit.home / "effects.txt").unlink(missing_ok=True)
        world.die_at(moment, work)
        asked = [effect for effect in world.effects if effect[0] == "model"]
        rows = query.list_runs(world.kit.journal) if world.kit.journal.exists() else []
        if asked and rows and rows[0].status == "unfinished":
            world.settle(rows[0].id)
            keys = {arg: {key for _, key, said in world.effects if said == arg} for arg in ("a", "b")}
            assert all(len(each) == 1 for each in keys.values())
            assert keys["a"] != keys["b"]
            if len([arg for *_, arg in world.effects if arg == "a"]) == 2:
                return
    pytest.fail("no moment lay between the request and its end")


def test_what_is_told_again_makes_no_record_and_its_rows_are_read_once(world, source, monkeypatch):
    text = """
(defn main []
  (loop [i 0 said []] (if (< i 40) (recur (inc i) (conj said (call :put (str i)))) (do (host/wait-for :go) said))))"""
    with world.open() as session:
        session.park()
        with pytest.raises(RunParked) as parked:
            session.run(source(text), entry="main")
    with world.open() as session:
        tell(session.host.journal, parked.value.run, "signalled", {"name": "go"}, "null")
    opened, answers, walks = [], [], []
    of, answer_of, go = OpenCall.of.__func__, past_calls.answer_of, walk.Walk.go
    monkeypatch.setattr(OpenCall, "of", classmethod(lambda cls, *args: opened.append(args) or of(cls, *args)))
    monkeypatch.setattr(past_calls, "answer_of", lambda text: answers.append(text) or answer_of(text))
    monkeypatch.setattr(walk.Walk, "go", lambda self: walks.append(self) or go(self))
    result = world.resume(parked.value.run)
    assert result.value == tuple(f"put {i}" for i in range(40))
    assert len(world.effects) == 40
    assert len(answers) == 40
    assert {call.capability for call, *_ in opened} == {"host.wait-for"}
    assert len(walks) == 1
