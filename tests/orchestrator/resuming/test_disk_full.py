"""A disk that is full while a run is gone on with: it ends there, and is gone on with once there is room."""

from __future__ import annotations

import pytest

from rtfs_framework.orchestrator.recording.journal.fault import JournalError
from rtfs_framework.orchestrator.recording.journal.verify import verify_all
from rtfs_framework.orchestrator.recording.journal.writer import Journal

PROGRAM = """
(defn ^:delegation :remote "m" ask [x : :string] : :string "own")
(defn main [] [(ask "1") (call :put "1") (ask "2") (call :put "2") (ask "3")])
"""


@pytest.mark.parametrize("moment", [7, 12])
@pytest.mark.parametrize("writes", range(6))
def test_a_run_that_cannot_be_written_is_gone_on_with_later(world, monkeypatch, moment, writes):
    """By the same process, too: nobody holds the run any more."""

    def work():
        with world.open() as session:
            session.run(PROGRAM, entry="main")

    assert not world.die_at(moment, work)
    write, left = Journal._write, [writes]

    def full(self):
        left[0] -= 1
        if left[0] < 0:
            raise JournalError(self.path, "database or disk is full", "make room")
        return write(self)

    with monkeypatch.context() as patch:
        patch.setattr(Journal, "_write", full)
        with pytest.raises(JournalError, match="disk is full"):
            world.resume(world.run)
    assert world.settle(world.run).value == ("said 1", "put 1", "said 2", "put 2", "said 3")
    keys = {
        (name, arg): {key for n, key, a in world.effects if (n, a) == (name, arg)} for name, _, arg in world.effects
    }
    assert len(keys) == 5
    assert all(len(found) == 1 for found in keys.values()), "what is made again has the same key"
    assert verify_all(world.kit.journal, world.kit.home).ok
