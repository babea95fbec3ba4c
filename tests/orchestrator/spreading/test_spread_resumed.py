"""A spread run whose submitter is killed is gone on with at home: what workers told is not done again."""

from __future__ import annotations

import os

import pytest

from rtfs_framework.api import InferenceReply
from rtfs_framework.orchestrator.recording.journal import query
from rtfs_framework.orchestrator.recording.journal.verify import verify_all
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


def spread(world, until):
    with world.open() as session:
        on = ("inline", "there")
        made = Spread.over(session, session.link(world.main), RECORDS, on, world.environ, how={"folds": False})
        for result in made:
            if result.index == until:
                session.host.journal.commit()
                os.kill(os.getpid(), 9)


@pytest.mark.parametrize("until", [0, 17])
def test_what_workers_told_is_not_asked_for_again(world, kit, asked, until):
    child = os.fork()
    if not child:  # pragma: no cover - it is killed
        try:
            spread(world, until)
        finally:
            os._exit(3)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -9
    (run,) = query.list_runs(kit.journal)
    told, before = len([*query.entries_of(kit.journal, run.id)]), len(asked())
    assert 0 < told <= before
    with world.open() as session:
        resumed = session.reopen(Resuming(run=run.id))
        with resumed.program as program:
            found = [*session.stream(program, "main", RECORDS, start=resumed.start)]
        calls = program.summary.calls
    assert [each.value for each in found] == [f"TEXT {number}!" for number in range(40)]
    assert len(asked()) - before == len(RECORDS) - told == calls
    assert query.list_runs(kit.journal)[0].status == "complete"
    assert verify_all(kit.journal, kit.home).ok
