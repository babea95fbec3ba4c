"""A run with tickets outlives its process: what was answered is told again by id, and nothing is asked for twice."""

from __future__ import annotations

import pytest

from rtfs_framework.orchestrator.recording.journal import query
from rtfs_framework.orchestrator.recording.journal.verify import verify_all

PROGRAM = """
(defn ask ^:delegation :remote "m" [x : :string] : :string "own")
(defn tell [x] (str (call :put x) (call :send (str x "!"))))
(defn main [x]
  (let [a (ticket (ask x))
        b (ticket (call :put "b"))
        c (ticket (tell "c"))
        d (call :put "d")
        e (ticket (call :send (str (await a) "e")))]
    (ticket (call :put "nobody awaits this"))
    [d (await c) (await b) (pmap (fn [n] (str n (await c))) [1 2]) [e]]))
"""


def test_killed_at_some_moments_and_gone_on_with(world, source):
    with world.open() as session:
        value = session.run(source(PROGRAM), ("x",)).value
    wanted = sorted((name, arg) for name, _, arg in world.effects if name != "model")
    for moment in range(1, 60, 5):
        (world.kit.home / "effects.txt").unlink()
        (world.kit.home / "effects.txt").touch()

        def work():
            with world.open() as session:
                session.run(source(PROGRAM), ("x",))

        if world.die_at(moment, work):
            break
        row = query.list_runs(world.kit.journal)[0]
        if row.status == "complete":
            continue
        assert world.settle(row.id).value == value
        once = [(name, arg) for name, _, arg in dict.fromkeys(world.effects) if name != "model"]
        assert sorted(once) == wanted
        sent = [arg for name, _, arg in world.effects if name == "send"]
        assert len(sent) == len(set(sent)), "an effect that must not be made twice"
    else:
        pytest.fail("it never came to its end")
    assert moment > 10
    assert verify_all(world.kit.journal, world.kit.home).ok
