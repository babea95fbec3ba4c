"""Boards of several processes over one file: what the next one knows, who sends the probe, and what breaks nothing."""

from __future__ import annotations

import os
import sqlite3
import stat
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from rtfs_framework.api import LocalModel, RemoteModel
from rtfs_framework.api.signals import Health
from rtfs_framework.orchestrator.config.health import BreakerSpec, HealthSpec
from rtfs_framework.orchestrator.performing.health.board import Board, Turned, Watched
from rtfs_framework.orchestrator.performing.health.breaker import Seen, Verdict
from rtfs_framework.orchestrator.performing.health.build import LaterSqlite
from rtfs_framework.orchestrator.performing.health.sharing import PAUSE, Shared
from rtfs_framework.testing.clock import FakeClock

BIG, SMALL, OTHER = RemoteModel("big"), LocalModel("small"), RemoteModel("other")
GOOD, BAD, SILENT = Seen(Verdict.GOOD), Seen(Verdict.BAD), Seen(Verdict.SILENT)


class Desk:
    """Boards over one file and one clock, and what they were told."""

    def __init__(self, path):
        self.path = path
        self.clock = FakeClock()
        self.faults, self.told, self.changes, self.boards = [], [], [], []

    def board(self, *targets, clock=None, shared=True, **spec):
        clock = clock or self.clock
        watched = {each: Watched(key=f"key of {each.id}", text=each.id, timeout=10.0) for each in targets or (BIG,)}
        ledger = LaterSqlite(lambda: self.path) if shared else None
        usual = {name: spec.pop(name) for name in [*spec] if name not in {"most_ejected", "targets"}}
        made = Board(
            spec=HealthSpec(usual=BreakerSpec(**usual), **spec),
            clock=clock,
            shared=Shared(ledger, clock, self.faults.append),
            watched=lambda: watched,
            changed=lambda *what: self.changes.append(what),
            told=lambda *what: self.told.append(what),
        )
        self.boards.append(made)
        return made


@pytest.fixture
def desk(tmp_path):
    made = Desk(tmp_path / "data" / "signals.sqlite")
    yield made
    for board in made.boards:
        board.close()


def ask(board, seen=BAD, times=1, target=BIG, seconds=0.5):
    for _ in range(times):
        permit = board.enter(target)
        assert not isinstance(permit, Turned), permit.reason
        board.settle(target, permit, seen, seconds=seconds, why="uncertain")


def test_a_target_that_answers_costs_no_file(desk):
    board = desk.board()
    for _ in range(4):
        ask(board, GOOD)
    assert (board.health(BIG), board.load(BIG), board.latency(BIG)) == (Health.CLOSED, 0, None)
    assert not desk.path.parent.exists()


def test_what_is_not_watched_is_closed(desk):
    board = desk.board()
    assert (board.health(OTHER), board.latency(OTHER), board.load(OTHER)) == (Health.CLOSED, None, 0)
    board.settle(OTHER, board.enter(OTHER), BAD, seconds=None)
    assert board.health(OTHER) is Health.CLOSED


def test_the_next_process_does_not_try_the_dead_server_again(desk):
    ask(desk.board(), BAD, 5)
    following = desk.board()
    assert following.health(BIG) is Health.OPEN
    turned = following.enter(BIG)
    assert turned.retry_after == pytest.approx(30.0)
    assert turned.reason == "big is left alone for 30 s more, because it failed: uncertain"
    desk.clock.advance(31.0)
    assert following.health(BIG) is Health.HALF_OPEN


def test_a_process_that_runs_already_learns_of_it_within_a_second_of_a_failure(desk):
    one, two = desk.board(), desk.board()
    ask(two, GOOD)
    ask(one, BAD, 5)
    desk.clock.advance(1.0)
    ask(two, BAD)
    assert two.health(BIG) is Health.OPEN


def test_of_all_processes_one_sends_the_probe(desk):
    boards = [desk.board() for _ in range(4)]
    ask(boards[0], BAD, 5)
    desk.clock.advance(31.0)
    permits = [board.enter(BIG) for board in boards for _ in range(3)]
    sent = [permit for permit in permits if not isinstance(permit, Turned)]
    assert len(sent) == 1
    boards[0].settle(BIG, sent[0], GOOD, seconds=0.1)
    desk.clock.advance(1.0)
    assert [board.health(BIG) for board in boards] == [Health.RECOVERING] * 4


def test_a_probe_whose_process_died_is_taken_over(desk):
    dying, other = desk.board(), desk.board()
    ask(dying, BAD, 5)
    desk.clock.advance(31.0)
    assert isinstance(dying.enter(BIG), int)
    assert isinstance(other.enter(BIG), Turned)
    desk.clock.advance(31.0)
    assert isinstance(other.enter(BIG), int)


def test_all_come_back_together(desk):
    one, two = desk.board(recovery_steps=1), desk.board(recovery_steps=1)
    ask(one, BAD, 5)
    desk.clock.advance(31.0)
    ask(one, GOOD, 3)
    assert one.health(BIG) is Health.CLOSED
    desk.clock.advance(1.0)
    assert two.health(BIG) is Health.CLOSED
    assert desk.board().health(BIG) is Health.CLOSED


def test_what_is_long_over_says_nothing(desk):
    ask(desk.board(), BAD, 5)
    desk.clock.advance(30.0 + 601.0)
    assert desk.board().health(BIG) is Health.CLOSED


@pytest.mark.parametrize("moved", [-1e8, 1e8])
def test_a_clock_that_was_moved_holds_nobody_for_long(desk, moved):
    ask(desk.board(), BAD, 5)
    later = FakeClock(wall=desk.clock.wall + moved)
    board = desk.board(clock=later)
    board.health(BIG)
    later.advance(3601.0)
    assert board.health(BIG) in (Health.CLOSED, Health.HALF_OPEN)


def test_latencies_are_known_to_the_next_process(desk):
    board = desk.board()
    ask(board, GOOD, 6, seconds=3.0)
    board.close()
    assert desk.board().latency(BIG) == board.latency(BIG) is not None


def test_never_all_targets_are_left_alone(desk):
    board = desk.board(BIG, SMALL, OTHER)
    for target in (BIG, SMALL, OTHER):
        ask(board, BAD, 5, target=target)
    assert [board.health(each) for each in (BIG, SMALL, OTHER)] == [Health.OPEN, Health.OPEN, Health.HALF_OPEN]
    for _ in range(5):
        ask(board, BAD, target=OTHER)


def test_the_share_that_may_be_left_alone_is_configured(desk):
    board = desk.board(BIG, SMALL, OTHER, most_ejected=0.4)
    for target in (BIG, SMALL):
        ask(board, BAD, 5, target=target)
    assert [board.health(each) for each in (BIG, SMALL)] == [Health.OPEN, Health.HALF_OPEN]


def test_one_target_has_settings_of_its_own(desk):
    board = desk.board(BIG, SMALL, targets={SMALL: BreakerSpec(state="forced-open")})
    assert board.health(SMALL) is Health.FORCED_OPEN
    assert "taken out of use" in board.enter(SMALL).reason
    assert isinstance(board.enter(BIG), int)


def test_repeats_are_bounded_and_refused_ones_are_not_under_way(desk):
    board = desk.board(retry_budget=0.1)
    permits = [board.enter(BIG, repeated=True) for _ in range(3)]
    assert [isinstance(permit, Turned) for permit in permits] == [False, False, True]
    assert "retry budget" in permits[2].reason
    board.load(BIG)
    for permit in permits[:2]:
        board.settle(BIG, permit, GOOD, seconds=0.1)
    assert board.load(BIG) == 0


def test_changes_of_signals_are_told_once_each(desk):
    board = desk.board()
    board.load(BIG)
    ask(board, BAD, 5)
    board.health(BIG)
    desk.clock.advance(31.0)
    board.health(BIG)
    board.health(BIG)
    shown = [(name, value) for name, _, value in desk.told if name == "health"]
    assert shown == [("health", Health.OPEN), ("health", Health.HALF_OPEN)]
    assert [value for name, _, value in desk.told if name == "load"] == [1, 0] * 5
    assert desk.changes == [("big", Health.CLOSED, Health.OPEN, "uncertain")]


@pytest.mark.parametrize(
    "damage", [b"no database, but long enough to look like one" * 30, b"SQLite format 3" + b"\0" * 500]
)
def test_a_damaged_file_breaks_nothing_and_is_told_once(desk, damage):
    desk.path.parent.mkdir()
    desk.path.write_bytes(damage)
    board = desk.board()
    ask(board, BAD, 5)
    assert board.health(BIG) is Health.OPEN
    desk.clock.advance(31.0)
    assert isinstance(board.enter(BIG), int)
    assert 1 <= len(desk.faults) <= 2
    assert str(desk.path) in str(desk.faults[0])


@pytest.mark.parametrize(
    "change",
    [
        "update signals set stage = 'x'",
        "update signals set until = 'soon'",
        "update signals set until = 9e999",
        "update signals set state = 'wild', stage = 99",
        "update signals set opened = -5, stage = -7, state = 'recovering'",
        "update signals set p50 = -1, p95 = 0",
        "drop table signals",
        "pragma user_version = 9",
    ],
)
def test_rows_that_nobody_wrote_break_nothing(desk, change):
    ask(desk.board(), BAD, 5)
    with closing(sqlite3.connect(desk.path)) as db, db:
        db.execute(change)
    board = desk.board()
    board.health(BIG)
    desk.clock.advance(4000.0)
    ask(board, GOOD, 20)
    assert board.health(BIG) is Health.CLOSED


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="needs a folder that cannot be written")
def test_a_folder_that_cannot_be_written_breaks_nothing(desk):
    desk.path.parent.mkdir(mode=0o500)
    board = desk.board()
    ask(board, BAD, 5)
    assert board.health(BIG) is Health.OPEN
    assert len(desk.faults) == 1


def test_a_file_in_place_of_the_folder_breaks_nothing(desk):
    desk.path.parent.write_text("a file")
    board = desk.board()
    ask(board, BAD, 5)
    assert board.health(BIG) is Health.OPEN
    assert len(desk.faults) == 1


def test_another_program_s_file_is_left_alone(desk):
    desk.path.parent.mkdir()
    with closing(sqlite3.connect(desk.path)) as db, db:
        db.execute("create table theirs (x)")
    ask(desk.board(), BAD, 5)
    with closing(sqlite3.connect(desk.path)) as db, db:
        assert db.execute("select name from sqlite_master").fetchall() == [("theirs",)]
    assert len(desk.faults) == 1


def test_a_locked_file_is_not_waited_for_and_tried_again_later(desk):
    ask(desk.board(), BAD, 5)
    desk.clock.advance(31.0)
    board = desk.board()
    with closing(sqlite3.connect(desk.path, isolation_level=None)) as db, db:
        db.execute("begin exclusive")
        ask(board, BAD)  # the probe: it cannot be claimed, and is sent all the same
        assert board.health(BIG) is Health.OPEN
        db.execute("rollback")
    assert len(desk.faults) == 1
    desk.clock.advance(max(PAUSE, 61.0))
    ask(board, BAD)
    assert desk.board().health(BIG) is Health.OPEN


def test_a_file_that_was_taken_away_is_made_anew(desk):
    board = desk.board()
    ask(board, BAD, 5)
    for each in desk.path.parent.iterdir():
        each.unlink()
    desk.clock.advance(31.0)
    ask(board, GOOD)
    assert not desk.faults
    assert desk.board().health(BIG) is Health.RECOVERING


def test_the_file_is_private(desk):
    ask(desk.board(), BAD, 5)
    if os.name != "nt":
        assert stat.S_IMODE(desk.path.stat().st_mode) == 0o600


def test_many_threads_never_exceed_what_is_let_through(desk):
    board = desk.board(probes=2, recovery_steps=2)
    ask(board, BAD, 5)
    desk.clock.advance(31.0)
    with ThreadPoolExecutor(16) as crew:
        permits = list(crew.map(lambda _: board.enter(BIG), range(200)))
    sent = [permit for permit in permits if not isinstance(permit, Turned)]
    assert len(sent) == 2
    with ThreadPoolExecutor(16) as crew:
        list(crew.map(lambda permit: board.settle(BIG, permit, GOOD, seconds=0.1), sent))
    assert board.health(BIG) is Health.RECOVERING


def test_what_is_bound_to_a_target_reads_what_the_board_says(desk):
    board = desk.board(BIG, SMALL, minimum_calls=2)
    names = ("health", "latency", "load")
    bound = {(name, each): board.bound(name, each) for name in names for each in (BIG, SMALL, OTHER)}

    def agree():
        return all(read() == getattr(board, name)(each) for (name, each), read in bound.items())

    assert agree()
    ask(board, GOOD, times=6, target=SMALL)
    permit = board.enter(SMALL)
    assert (bound["load", SMALL](), bound["latency", SMALL]()) == (1, board.latency(SMALL))
    assert agree()
    board.settle(SMALL, permit, BAD, seconds=None)
    ask(board, BAD, times=2)
    assert bound["health", BIG]() is Health.OPEN
    assert agree()
    desk.clock.advance(10_000)
    assert bound["health", BIG]() is Health.HALF_OPEN
    assert agree()
