"""A process that is killed while it learns loses nothing and learns nothing twice; two of them learn one state."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from rtfs_framework.api import LocalModel
from rtfs_framework.orchestrator.explaining.replaying.replay import Repeated, replay
from rtfs_framework.orchestrator.learning.build import learned_path
from rtfs_framework.orchestrator.learning.past import folded
from rtfs_framework.orchestrator.learning.reading import LAST, rows_of
from rtfs_framework.orchestrator.learning.store import LearnedStore, cells_of, everything
from rtfs_framework.orchestrator.recording.journal.history import history_of
from rtfs_framework.orchestrator.recording.journal.query import list_runs

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
from killed_learner import opened  # noqa: E402 - the process's own parts

pytestmark = pytest.mark.skipif(os.name != "posix", reason="kills processes")


def begun(home, seed, count):
    command = [sys.executable, str(HERE / "killed_learner.py"), str(home), str(seed), str(count)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def kill_after(process, lines):
    """Kill a process when it has said so much."""
    with process:
        for _ in range(lines):
            if not process.stdout.readline():
                raise AssertionError(process.stderr.read())
        process.kill()


def kept(home):
    with closing(LearnedStore(learned_path({"RTFS_HOME": str(home)}))) as store:
        ((state, cells),) = store.read(lambda db: [(each, cells_of(db, each.id)) for each in everything(db)])
    return state, cells


def all_kept(home):
    with closing(LearnedStore(learned_path({"RTFS_HOME": str(home)}))) as store:
        return store.read(everything)


def check_same(home):
    """Fold all that is left, and compare with what the journal makes."""
    with opened(home, 0) as session:
        learning = session.host.learning
        learning.catch_up()
        state, cells = kept(home)
        with rows_of(home / "journal.sqlite", home) as rows:
            made = folded(rows, learning.learners[0], "", None, to=LAST)
    assert list(cells.items()) == list(made.cells.items())
    assert state.outcomes == made.outcomes
    return state


@pytest.mark.timeout(300)
def test_killed_processes_leave_what_the_journal_makes(tmp_path):
    chance = random.Random(11)
    for number in range(3):
        kill_after(begun(tmp_path, number, 0), chance.randrange(1, 8))
    state = check_same(tmp_path)
    assert state.skipped == 0


@pytest.mark.timeout(300)
def test_two_processes_learn_one_state(tmp_path):
    for process in [begun(tmp_path, 1, 8), begun(tmp_path, 2, 8)]:
        with process:
            _, wrong = process.communicate()
            assert process.returncode == 0, wrong
    check_same(tmp_path)
    with opened(tmp_path, 0, journal=False) as session, history_of(tmp_path / "journal.sqlite", tmp_path) as history:
        found = [
            each.result
            for run in list_runs(tmp_path / "journal.sqlite", 30)
            for each in replay(session.host, history, run.id)
        ]
    assert len(found) >= 16 * 25
    assert set(found) == {Repeated.SAME}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_child_that_is_forked_off_learns_by_itself(tmp_path):
    with opened(tmp_path, 1) as session:
        session.run("(defn f [x] :own)\n(map f (range 40))")
        child = os.fork()
        if child == 0:
            code = 1
            try:
                session.host.learning.catch_up()
                session.host.learning.stats("f", LocalModel("one"))
                code = 0
            finally:
                os._exit(code)
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == 0
        session.run("(defn f [x] :own)\n(map f (range 40))")
    with opened(tmp_path, 0) as session:
        session.host.learning.catch_up()
        known = {each.place.learner: each.outcomes for each in all_kept(tmp_path)}
    assert known["learned"] >= 80
