"""A spread run whose submitter is killed is gone on with at home: what workers told is not done again."""

from __future__ import annotations

import json
import os

import pytest

from rtfs_framework.api import InferenceReply
from rtfs_framework.orchestrator.recording.journal import query
from rtfs_framework.orchestrator.recording.journal.fault import JournalError
from rtfs_framework.orchestrator.recording.journal.query import reading
from rtfs_framework.orchestrator.recording.journal.verify import verify_all
from rtfs_framework.orchestrator.recording.journal.writer import Journal
from rtfs_framework.orchestrator.running.resuming import Resuming
from rtfs_framework.orchestrator.spreading.spread import Spread

pytestmark = pytest.mark.skipif(os.name != "posix", reason="kills processes")
RECORDS = [{"text": f"text {number}"} for number in range(40)]


@pytest.fixture
def asked(world, kit):
    """Return a function that gives the texts for which the model was asked, whoever asked."""
    file = kit.home / "asked.txt"

    def answer(request):
        with file.open("a", encoding="utf-8") as lines:
            lines.write(f"{request.args[0]}\n")
        return InferenceReply(text=request.args[0].upper())

    world.answer = answer
    return lambda: file.read_text(encoding="utf-8").splitlines()


def over(world, session):
    on = ("inline", "there")
    return Spread.over(session, session.link(world.main), RECORDS, on, world.environ, how={"folds": False})


def kill():
    os.kill(os.getpid(), 9)


def killed(work, *args):
    """Do some work in a child that is killed by it."""
    child = os.fork()
    if not child:  # pragma: no cover - it is killed
        try:
            work(*args)
        finally:
            os._exit(3)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -9


def spread(world, until):
    with world.open() as session:
        for result in over(world, session):
            if result.index == until:
                kill()


@pytest.mark.parametrize("until", [0, 17, 35])
def test_what_workers_told_is_not_asked_for_again(world, kit, asked, until):
    killed(spread, world, until)
    (run,) = query.list_runs(kit.journal)
    told, before = len([*query.entries_of(kit.journal, run.id)]), len(asked())
    assert until + 1 <= told <= before, "what was handed out is in the journal"
    with world.open() as session:
        resumed = session.reopen(Resuming(run=run.id))
        with resumed.program as program:
            found = [*session.stream(program, "main", RECORDS, start=resumed.start)]
        calls = program.summary.calls
    assert [each.value for each in found] == [f"TEXT {number}!" for number in range(40)]
    assert len(asked()) - before == len(RECORDS) - told == calls
    assert query.list_runs(kit.journal)[0].status == "complete"
    assert verify_all(kit.journal, kit.home).ok


def test_what_is_handed_out_is_forced_to_disk_where_that_is_wanted(world):
    with world.open('[journal]\nsync = "full"\n') as session:
        journal, seen = session.host.journal, 0
        for _ in over(world, session):
            seen += 1
            assert (journal.waiting, journal.owes) == (0, False)
    assert seen == len(RECORDS)


def test_what_cannot_be_written_down_is_not_handed_out(world, monkeypatch):
    with world.open() as session:
        made, journal = over(world, session), session.host.journal
        with monkeypatch.context() as broken:
            broken.setattr(Journal, "_write_now", lambda *_, **__: JournalError(journal.path, "no room"))
            with pytest.raises(JournalError, match="no room"):
                next(made)
        assert [*made] == []
        made.close()


CAP = "[delegation]\non_exhausted = 'error'\n[ledger]\nmax_tokens = 60\n[budgets.b]\ncalls = 45\n"
"""Enough for all records, and shares of it are not."""


def spread_until_short(world, patch):
    took = Spread._take

    def take(self, handed, text):
        took(self, handed, text)
        if any(each.whole for each in self._again):
            kill()

    patch.setattr(Spread, "_take", take)
    with world.open(CAP) as session:
        [*over(world, session)]


def test_a_record_whose_share_was_too_small_is_not_refused_when_its_submitter_is_killed(world, kit, monkeypatch):
    killed(spread_until_short, world, monkeypatch)
    (run,) = query.list_runs(kit.journal)
    with world.open(CAP.replace("45", "99")) as session:
        resumed = session.reopen(Resuming(run=run.id))
        with resumed.program as program:
            found = [*session.stream(program, "main", RECORDS, start=resumed.start)]
    assert [each.error for each in found if not each.ok] == []
    assert verify_all(kit.journal, kit.home).ok


def test_of_a_record_whose_share_was_too_small_only_what_it_took_is_written_down(world, kit):
    with world.open(CAP) as session:
        assert all(each.ok for each in over(world, session))
        assert world.total(session)[2] == len(RECORDS)
    (run,) = query.list_runs(kit.journal)
    with reading(kit.journal) as connection:
        ended = [json.loads(body) for (body,) in connection.execute("SELECT body FROM log WHERE what = 'ended'")]
    stopped = [row for row in ended if row.get("stopped")]
    assert len(ended) - len(stopped) == len(RECORDS) == len([*query.entries_of(kit.journal, run.id)])
    assert stopped
    assert [row for row in ended if row["outcome"] == "error" and not row.get("stopped")] == []


def test_one_that_is_interrupted_hands_out_no_refusal_of_a_share(world, monkeypatch):
    took = Spread._take

    def take(self, handed, text):
        self.program.ledger.tally.interrupted |= handed.first > 0
        took(self, handed, text)

    monkeypatch.setattr(Spread, "_take", take)
    with world.open(CAP.replace("45", "20")) as session:
        found = [*over(world, session)]
    assert found
    assert all(each.ok for each in found)
