"""A budget that is used up may be waited for: in its process, or beyond the process's end."""

from __future__ import annotations

import threading

import pytest

from rtfs_framework.lang.errors import ProgramError
from rtfs_framework.orchestrator.recording.journal import query
from rtfs_framework.orchestrator.recording.journal.waiting import due_runs, waits_of
from rtfs_framework.orchestrator.recording.purse import RunParked
from rtfs_framework.orchestrator.running.resuming import Resuming
from rtfs_framework.testing.clock import FakeClock

ASKS = """
(defn ^:delegation :remote "m" ask [x : :string] : :string "own")
(defn main [] [(ask "1") (ask "2") (call :put "x") (ask "3")])
"""
BUDGET = '[budgets.hourly]\ncalls = 2\nper = "hour"\nused_up = "%s"\n'
VALUE = ("said 1", "said 2", "put x", "said 3")


def opened(world, clock, park=None):
    session = world.open(clock=clock)
    session.park(park)
    return session


def asked(world):
    return [arg for name, _, arg in world.effects if name == "model"]


def test_a_run_waits_beyond_its_process_until_the_budget_is_renewed(world, source):
    world.config, clock = BUDGET % "wait", FakeClock()
    with opened(world, clock, park=0.0) as session, pytest.raises(RunParked, match="budget 'hourly' has 0 calls left"):
        session.run(source(ASKS), entry="main")
    assert query.list_runs(world.kit.journal)[0].status == "waiting"
    (wait,) = waits_of(world.kit.journal, [world.run])[world.run]
    assert (wait["until"] % 3600, "'hourly'" in wait["quota"]) == (0, True)
    clock.advance(60)
    assert due_runs(world.kit.journal, world.kit.home, now=clock.now()) == []
    with opened(world, clock, park=0.0) as session, pytest.raises(RunParked):
        session.resume(Resuming(run=world.run))
    clock.advance(3600)
    assert due_runs(world.kit.journal, world.kit.home, now=clock.now()) == [world.run]
    with opened(world, clock, park=0.0) as session:
        assert session.resume(Resuming(run=world.run)).value == VALUE
    assert asked(world) == ["1", "2", "3"]
    assert [arg for name, _, arg in world.effects if name == "put"] == ["x"]


def test_a_run_waits_in_its_process(world, source):
    world.config, clock, found = BUDGET % "wait", FakeClock(), []
    with opened(world, clock) as session:
        work = threading.Thread(target=lambda: found.append(session.run(source(ASKS), entry="main").value))
        work.start()
        while not asked(world)[1:] and work.is_alive():
            work.join(0.01)
        work.join(0.2)
        assert work.is_alive()
        clock.advance(3600)
        work.join(30)
    assert found == [VALUE]


def test_a_budget_that_nobody_waits_for_refuses(world, source):
    world.config = BUDGET % "refuse"
    with opened(world, FakeClock(), park=0.0) as session, pytest.raises(ProgramError, match="0 calls left"):
        session.run(source(ASKS), entry="main")


@pytest.mark.parametrize("per", ["run", "ever"])
def test_a_budget_that_is_never_renewed_is_not_waited_for(world, source, per):
    world.config = f'[budgets.all]\ncalls = 2\nper = "{per}"\nused_up = "wait"\n'
    with opened(world, FakeClock(), park=0.0) as session, pytest.raises(ProgramError, match="0 calls left"):
        session.run(source(ASKS), entry="main")


def test_a_call_whose_time_is_over_before_does_not_wait(world, source):
    world.config = BUDGET % "wait"
    program = source(ASKS.replace('(ask "3")', '^{:runtime.learning.timeout {:absolute-ms 5000}} (ask "3")'))
    with opened(world, FakeClock(), park=0.0) as session, pytest.raises(ProgramError, match="0 calls left"):
        session.run(program, entry="main")


def test_branches_wait_together(world, source):
    world.config, clock = BUDGET % "wait", FakeClock()
    program = source(ASKS.replace('[(ask "1") (ask "2") (call :put "x") (ask "3")]', '(pmap ask ["1" "2" "3" "4"])'))
    with opened(world, clock, park=0.0) as session, pytest.raises(RunParked):
        session.run(program, entry="main")
    clock.advance(3600)
    with opened(world, clock, park=0.0) as session:
        assert session.resume(Resuming(run=world.run)).value == ("said 1", "said 2", "said 3", "said 4")
    assert sorted(asked(world)) == ["1", "2", "3", "4"]


def test_what_no_renewal_holds_is_not_waited_for(world, source):
    world.config = '[budgets.small]\ntokens = 1\nper = "hour"\nused_up = "wait"\n'
    with opened(world, FakeClock(), park=0.0) as session, pytest.raises(ProgramError, match="1 token left"):
        session.run(source(ASKS), entry="main")


def test_a_quota_of_then_counts_where_today_s_rules_have_none(world, source):
    world.config = "[security.quota]\ncalls = 2\n"
    program = source(ASKS.replace('[(ask "1")', '[(host/sleep "1h") (ask "1")'))
    clock = FakeClock()
    with opened(world, clock, park=0.0) as session, pytest.raises(RunParked):
        session.run(program, entry="main")
    world.config = ""
    clock.advance(3700)
    with opened(world, clock) as session, pytest.raises(ProgramError, match="more calls than is left"):
        session.resume(Resuming(run=world.run))
    assert asked(world) == ["1", "2"]


def test_a_fork_is_charged_with_what_was_spent_before_it_left(world, source):
    world.config = '[security.quota]\ncalls = 2\n[journal]\nkeep = "replies"\n'
    text = ASKS.replace('[(ask "1") (ask "2") (call :put "x") (ask "3")]', '[(ask "1") (checkpoint :a) (ask "2")]')
    with opened(world, FakeClock()) as session:
        run = session.run(source(text), entry="main").run_id
    with opened(world, FakeClock()) as session:
        assert session.resume(Resuming(run=run, fork=True, at=":a")).value[2] == "said 2"


def test_a_run_without_arguments_is_gone_on_with_where_labels_are(world, source):
    world.config, clock = '[labels.inputs]\nemail = ["pii"]\n', FakeClock()
    with opened(world, clock, park=0.0) as session, pytest.raises(RunParked):
        session.run(source('(defn main [] (do (host/sleep "1s") 5))'), entry="main")
    clock.advance(5)
    with opened(world, clock) as session:
        assert session.resume(Resuming(run=world.run)).value == 5
