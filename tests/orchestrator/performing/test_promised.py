"""Capabilities that answer later: their runs wait for a word, or for what is collected, and outlive their processes."""

from __future__ import annotations

import os
import threading
import time

import pytest

from rtfs_framework.api import CapabilityEntry, CapabilityError, FailureKind, Later
from rtfs_framework.orchestrator.recording.journal import query
from rtfs_framework.orchestrator.recording.journal.kept import value_text
from rtfs_framework.orchestrator.recording.journal.outside import tell
from rtfs_framework.orchestrator.recording.journal.waiting import due_runs, waits_of
from rtfs_framework.orchestrator.recording.purse import RunCancelled, RunParked
from rtfs_framework.orchestrator.running.past_calls import ResumeError
from rtfs_framework.orchestrator.running.resuming import Resuming
from rtfs_framework.testing.clock import FakeClock

GRANT = '[security]\ngrant = ["job"]\n'
ONE = '(defn main [] [(call :job "x") 1])'
ASKED = '(defn main [] (try (call :job "x") (catch e [(:kind e) (:message e)])))'


class Office:
    """Promises jobs, and says what came of them: an answer, `Later`, or an error, by what it was asked."""

    def __init__(self, **more):
        self.begun, self.looked, self.more = [], [], more
        self.answers = []
        self.promise = {"look": 60.0, "within": 7200.0}

    def handler(self, request):
        self.begun.append((request.args[0], request.key))
        return Later(id=f"job-{request.args[0]}", **self.promise)

    def collect(self, request):
        self.looked.append((request.job, request.key))
        found = self.answers.pop(0) if self.answers else "done"
        if isinstance(found, Exception):
            raise found
        return found

    async def collect_awaited(self, request):
        return self.collect(request)

    def entry(self, collect="collect", **more):
        collects = None if collect is None else getattr(self, collect)
        return CapabilityEntry(id="job", summary="Begins a job.", handler=self.handler, collect=collects, **more)


@pytest.fixture
def office():
    return Office()


@pytest.fixture
def opened(kit, office):
    """Return a function that opens a session of the office; it parks its runs at once unless told otherwise."""

    def open_session(park=0.0, config=GRANT, entry=None, **options):
        session = kit.open(kit.catalog(capabilities=[entry or office.entry()]), config, **options)
        session.host.dispatcher.approvals.waits.park = park
        return session

    return open_session


def parked(opened, source, text=ONE, **options):
    """Run a program that is parked; return its run's id."""
    with opened(**options) as session, pytest.raises(RunParked) as caught:
        session.run(source(text), entry="main")
    return caught.value.run


def resumed(opened, run, **options):
    with opened(**options) as session:
        return session.resume(Resuming(run=run)).value


def send(opened, run, name, value, **options):
    with opened(**options) as session:
        tell(session.host.journal, run, "signalled", {"name": name}, value_text(value))


@pytest.mark.parametrize("idempotent", [True, False])
@pytest.mark.parametrize(
    "more", [{}, {"blocking": True}, {"collect": "collect_awaited"}], ids=["sync", "blocking", "async"]
)
def test_a_run_waits_for_what_is_collected_beyond_the_end_of_its_process(kit, opened, source, office, idempotent, more):
    clock, entry = FakeClock(), office.entry(idempotent=idempotent, **more)
    run = parked(opened, source, clock=clock, entry=entry)
    key = f"{run}:1:0"
    assert (office.begun, office.looked) == ([("x", key)], [])
    (wait,) = waits_of(kit.journal, [run])[run]
    assert (wait["job"], wait["for"], wait["target"]) == ("job-x", "answer-1-0", "capability job")
    assert due_runs(kit.journal, kit.home, now=clock.now()) == []
    clock.advance(61)
    assert due_runs(kit.journal, kit.home, now=clock.now()) == [run]
    office.answers = [Later(id="job-x", look=600.0)]
    with opened(clock=clock, entry=entry) as session, pytest.raises(RunParked):
        session.resume(Resuming(run=run))
    assert due_runs(kit.journal, kit.home, now=clock.now() + 599) == []
    clock.advance(601)
    assert due_runs(kit.journal, kit.home, now=clock.now()) == [run]
    assert resumed(opened, run, clock=clock, entry=entry) == ("done", 1)
    assert office.begun == [("x", key)]
    assert office.looked == [("job-x", key)] * 2


def test_an_answer_may_be_sent_by_whoever_has_it(kit, opened, source, office):
    clock, entry = FakeClock(), office.entry(collect=None)
    run = parked(opened, source, clock=clock, entry=entry)
    assert due_runs(kit.journal, kit.home, now=clock.now()) == []
    send(opened, run, "answer-1-0", "sent", clock=clock, entry=entry)
    assert due_runs(kit.journal, kit.home, now=clock.now()) == [run]
    assert resumed(opened, run, clock=clock, entry=entry) == ("sent", 1)
    assert len(office.begun) == 1


def test_a_sent_answer_goes_before_a_collected_one_and_is_held_to_the_declared_type(opened, source, office):
    clock = FakeClock()
    entry = CapabilityEntry(
        id="job", summary="Begins a job.", handler=office.handler, collect=office.collect, returns=":int"
    )
    run = parked(opened, source, ASKED, clock=clock, entry=entry)
    send(opened, run, "answer-1-0", "no number", clock=clock, entry=entry)
    clock.advance(3600)
    kind, message = resumed(opened, run, clock=clock, entry=entry)
    assert (kind, office.looked) == ("TypeValidationError", [])
    assert "the answer of capability 'job'" in message


def test_a_host_that_waits_with_its_runs_looks_when_it_is_time(opened, source, office):
    office.promise = {"look": 0.02}
    office.answers = [Later(id="other", look=0.02), CapabilityError("gone", failure=FailureKind.SAFE), "at last"]
    with opened(park=None) as session:
        assert session.run(source(ONE), entry="main").value == ("at last", 1)
    assert [job for job, _ in office.looked] == ["job-x"] * 3


def test_tickets_wait_beside_each_other(opened, source, office):
    office.promise = {"look": 0.01}
    office.answers = ["a", "b", "c"]
    text = '(defn main [] (sort (await-all (mapv (fn [x] (ticket (call :job x))) ["p" "q" "r"]))))'
    with opened(park=None) as session:
        assert session.run(source(text), entry="main").value == ("a", "b", "c")
    assert sorted(arg for arg, _ in office.begun) == ["p", "q", "r"]
    assert len({key for _, key in office.begun}) == 3


@pytest.mark.parametrize("way", ["missing", "denied"])
def test_a_run_waits_on_where_its_capability_may_not_be_called(kit, opened, source, office, way):
    """Its job, and the answer that was sent, are still there for whoever has the capability."""
    run = parked(opened, source, ASKED)
    send(opened, run, "answer-1-0", "sent")
    session = (
        kit.open(kit.catalog(), GRANT) if way == "missing" else opened(config='[security]\ndeny = ["job"]\n', park=0.0)
    )
    with session, pytest.raises(ResumeError, match=r"waits with call 1:0 for job job-x: .*job") as caught:
        session.resume(Resuming(run=run))
    assert caught.value.code == "E0729"
    (row,) = query.list_runs(kit.journal)
    assert (row.status, due_runs(kit.journal, kit.home)) == ("waiting", [run])
    assert resumed(opened, run) == "sent"
    assert len(office.begun) == 1


def test_what_a_job_ended_with_is_the_calls_error(opened, source, office):
    office.promise = {"look": 0.01}
    office.answers = [CapabilityError("the job broke", "NetworkError")]
    with opened(park=None) as session:
        kind, message = session.run(source(ASKED), entry="main").value
    assert (kind, "the job broke" in message) == ("NetworkError", True)


def test_no_answer_in_time_is_an_error(opened, source, office):
    clock, entry = FakeClock(), office.entry(collect=None)
    run = parked(opened, source, ASKED, clock=clock, entry=entry)
    clock.advance(7201)
    kind, message = resumed(opened, run, clock=clock, entry=entry)
    assert (kind, message) == ("NetworkError", "capability 'job': job job-x was not answered in time")


def test_without_a_journal_only_what_is_collected_is_waited_for(opened, source, office):
    office.promise = {"look": 0.01}
    with opened(park=None, journal=False) as session:
        assert session.run(source(ONE), entry="main").value == ("done", 1)
    with opened(park=None, journal=False, entry=office.entry(collect=None)) as session:
        _, message = session.run(source(ASKED), entry="main").value
    assert "job job-x is answered from outside, and this run keeps no journal" in message


def test_a_run_that_is_cancelled_waits_no_longer(opened, source, office):
    office.promise = {"look": 0.01}
    with opened(park=None) as session:

        def cancels(request):
            run = request.key.partition(":")[0]
            tell(session.host.journal, run, "control", {"ask": "cancel", "by": "ada"})
            return Later(id=request.job)

        office.collect = cancels
        entry = office.entry()
    with opened(park=None, entry=entry) as session, pytest.raises(RunCancelled, match="cancelled by ada"):
        session.run(source(ONE), entry="main")


def test_killed_between_the_job_and_its_row_nobody_knows_and_after_it_everybody(kit, opened, source, office):
    """One that is not idempotent is settled by whoever looked; once the promise is written, nobody need look."""

    def die(promise):
        child = os.fork()
        if not child:  # pragma: no cover - it is killed
            try:
                _killed(opened, source, office, promise)
            finally:
                os._exit(1)
        os.waitpid(child, 0)
        return query.list_runs(kit.journal)[0].id

    run = die(promise=False)
    with opened() as session, pytest.raises(ResumeError, match="nobody knows how it ended"):
        session.resume(Resuming(run=run))
    run = die(promise=True)
    office.promise = {}
    with opened() as session, pytest.raises(RunParked):
        session.resume(Resuming(run=run))
    send(opened, run, "answer-1-0", "sent")
    assert resumed(opened, run) == ("sent", 1)
    assert office.begun == [], "the handler was called in the process that was killed, and not again"


def _killed(opened, source, office, promise):
    if not promise:
        office.handler = lambda request: os.kill(os.getpid(), 9)
    else:
        threading.Thread(target=lambda: (time.sleep(0.4), os.kill(os.getpid(), 9)), daemon=True).start()
    with opened(park=None) as session:
        session.run(source(ONE), entry="main")


@pytest.mark.parametrize(
    "wrong", [{"id": ""}, {"id": "a\n"}, {"id": "x" * 257}, {"id": "a", "look": 0.0}, {"id": "a", "within": -1.0}]
)
def test_what_is_no_promise_cannot_be_made(wrong):
    with pytest.raises(ValueError, match=r"job|look|within"):
        Later(**wrong)


def test_what_answers_later_is_not_isolated(kit, opened, source, office):
    config = '[security]\ngrant = ["job"]\nisolation = "isolated"\n'
    with opened(config=config, entry=office.entry(isolable=True)) as session:
        kind, _ = session.run(source(ASKED), entry="main").value
    assert (kind, office.begun) == ("SecurityViolation", [])
