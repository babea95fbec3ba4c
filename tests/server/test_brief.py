"""Brief calls are answered where the loop is; what is late again and again, or takes long, goes elsewhere."""

from __future__ import annotations

from itertools import count

import pytest

from rtfs_framework.server import programs
from rtfs_framework.testing.served import served

PROGRAM = "(defn main [n] (loop [i 0] (if (< i n) (recur (inc i)) i)))"


@pytest.fixture
def server():
    with served() as made:
        yield made


def kept(server):
    return next(iter(server.state.programs_of("")._kept.values()))


def test_a_call_that_was_late_once_or_twice_sends_nobody_away(server, ask, monkeypatch):
    ask(server, PROGRAM, "[1]")  # compiled, and computed beside the loop
    clock = count(0.0, 1.0)  # each look at it is a second later, so every call seems to take one
    monkeypatch.setattr(programs, "perf_counter", lambda: next(clock))
    seen = []
    for _ in range(4):
        assert ask(server, PROGRAM, "[3]").json()["value"] == "3"
        seen.append(kept(server)._away)
    assert seen == [0, 0, 64, 63], "the third in a row does, and the fourth is computed beside the loop"


def test_a_call_in_time_forgets_those_that_were_late(server, ask, monkeypatch):
    ask(server, PROGRAM, "[1]")
    times = iter([0, 1, 1, 2, 2, 2, 3, 4, 4, 5])  # late, late, in time, late, late
    monkeypatch.setattr(programs, "perf_counter", lambda: next(times))
    for _ in range(5):
        ask(server, PROGRAM, "[3]")
    assert kept(server)._away == 0


def test_what_takes_more_than_a_slice_is_computed_beside_the_loop(server, ask):
    ask(server, PROGRAM, "[1]")
    assert ask(server, PROGRAM, "[100000]").json()["value"] == "100000"
    assert kept(server)._away == 63
    assert ask(server, PROGRAM, '["a"]').json()["error"]["kind"] == "TypeError"
