"""A call that waits for a person: yes, no, no answer, and all that goes wrong; who is asked before and after."""

from __future__ import annotations

import threading
import time

import attrs
import pytest

from rtfs_framework.api import (
    Ask,
    Capability,
    DelegationPlan,
    GuardEntry,
    Hedge,
    LocalModel,
    ObserverEntry,
    PlanSource,
    ProgramError,
    ProviderUnavailable,
    Refuse,
    RemoteModel,
)
from rtfs_framework.orchestrator.concurrency.clock import SystemClock
from rtfs_framework.orchestrator.performing.approvals.store import ApprovalStore
from rtfs_framework.testing.clock import FakeClock

MODEL = LocalModel("m")
EVENTS = ("approval.waiting", "approval.answered")
PROGRAM = "(defn f [x] :own) (defn main [x] (f x))"


class Asks:
    """Sends `f` to a target once somebody has said yes."""

    def __init__(self, then=MODEL):
        self.target = Ask("boss", then)

    def claims(self):
        return ("f",)

    def decide(self, context):
        return DelegationPlan(target=self.target, reasoning="careful", source=PlanSource.ENGINE)


@pytest.fixture
def opened(kit):
    """Return a function that opens a session whose engine asks."""

    def load(engine=None, config="", approver=None, guards=(), capabilities=(), **more):
        models = [kit.provider("m", lambda _: "said"), kit.provider("r", lambda _: "far", remote=True)]
        catalog = kit.catalog(*models, engine=engine or Asks(), guards=guards, capabilities=capabilities, l1=True)
        return kit.open(catalog, config, approver=approver, **more)

    return load


@pytest.fixture
def store(kit):
    return ApprovalStore(kit.home, SystemClock())


def answering(session, store, **answer):
    """Answer whatever comes to wait, as `rtfs approve` does in another process."""
    waited = []

    def listen(request):
        waited.append(request)
        threading.Thread(target=lambda: store.answer(request.id, by="ann", **answer)).start()

    session.host.dispatcher.approvals.listeners.append(listen)
    return waited


def test_a_yes_lets_the_call_be_made_and_stands_in_the_record(source, opened, store):
    with opened() as session:
        waited = answering(session, store, yes=True)
        result = session.run(source(PROGRAM), ("x",))
    assert result.value == "said"
    (request,) = waited
    assert (request.symbol, request.target, request.approver, request.args) == ("f", "local-model m", "boss", ("x",))
    (call,) = result.calls
    assert call.target == "local-model m"
    assert ("approval", f"yes by ann ({request.id})") in call.decision.steps
    (row,) = store.listed(every=True)
    assert (row.state, row.run, row.call, row.args_text) == ("yes", result.run_id, "1:0", None)


def test_a_no_is_an_error_with_the_reason(kit, source, opened, store):
    with opened() as session:
        answering(session, store, yes=False, reason="not this one")
        with pytest.raises(ProgramError, match="not approved by 'boss': no by ann: not this one") as raised:
            session.run(source(PROGRAM), ("x",))
    assert raised.value.kind == "SecurityViolation"
    assert not kit.providers["m"].requests


def test_no_answer_in_time_is_no(kit, source, opened, store):
    late = pytest.raises(ProgramError, match=r"no answer within 0\.1 s")
    with opened(config="[approvals]\ntimeout = 0.1\n") as session, late:
        session.run(source(PROGRAM), ("x",))
    assert not kit.providers["m"].requests
    assert [row.state for row in store.listed(every=True)] == ["late"]


def test_a_clock_that_is_set_back_gives_no_more_time(kit, source, opened):
    class SetBack(FakeClock):
        def now(self):
            self.wall -= 3600.0
            return self.wall

        def monotonic(self):
            return time.monotonic()

    late = pytest.raises(ProgramError, match=r"no answer within 0\.1 s")
    with opened(config="[approvals]\ntimeout = 0.1\n[limits]\nseconds = 5\n", clock=SetBack()) as session, late:
        session.run(source(PROGRAM), ("x",))
    assert not kit.providers["m"].requests


def test_who_cannot_be_told_leaves_nothing_waiting(source, opened, store):
    def breaks(_):
        raise OSError("nobody listens")

    with opened() as session:
        session.host.dispatcher.approvals.listeners.append(breaks)
        with pytest.raises(Exception, match="nobody listens"):
            session.run(source(PROGRAM), ("x",))
    assert [row.state for row in store.listed(every=True)] == ["withdrawn"]


def test_a_yes_is_for_one_call(source, opened, store):
    """Equal calls ask again, whatever memory knows of their plan; another target or other arguments do, too."""
    with opened() as session:
        waited = answering(session, store, yes=True)
        program = session.load(source(PROGRAM))
        for args in (("x",), ("x",), ("y",)):
            program.call("main", args)
    assert len({request.id for request in waited}) == 3
    assert len({row.covers for row in store.listed(every=True)}) == 3


def test_what_was_answered_for_another_call_is_no(source, opened, store):
    def swapped(request):
        def change():
            row = store.get(request.id)
            store._do(lambda db: db.execute("update approvals set target = 'remote r' where id = ?", (row.id,)))
            store.answer(request.id, yes=True, by="ann")

        threading.Thread(target=change).start()

    with opened() as session:
        session.host.dispatcher.approvals.listeners.append(swapped)
        with pytest.raises(ProgramError, match="what was answered is another call"):
            session.run(source(PROGRAM), ("x",))


def test_arguments_are_kept_where_the_journal_keeps_them(source, opened, store):
    with opened(config='[journal]\nkeep = "replies"\n') as session:
        answering(session, store, yes=True)
        session.run(source(PROGRAM), ("x",))
    assert [row.args_text for row in store.listed(every=True)] == ['["x"]']


@pytest.mark.parametrize(("answer", "value"), [(True, "said"), (False, None), (1, None), ("yes", None), (None, None)])
def test_a_host_may_bring_its_own_approver(source, opened, store, answer, value):
    asked = []

    def approver(request):
        asked.append(request)
        return answer

    async def waits(request):
        return approver(request)

    for each in (approver, waits):
        with opened(approver=each) as session:
            if value is not None:
                assert session.run(source(PROGRAM), ("x",)).value == value
            else:
                with pytest.raises(ProgramError, match="no, by the host's approver"):
                    session.run(source(PROGRAM), ("x",))
    assert [request.id for request in asked] == ["", ""]
    assert not store.path.exists()


def test_an_approver_that_breaks_or_does_not_answer_means_no(source, opened):
    def breaks(_):
        raise ZeroDivisionError

    left = []

    def sleeps(_):
        left.append(threading.current_thread())
        time.sleep(1)
        return True

    for approver, said in ((breaks, "its approver failed: ZeroDivisionError"), (sleeps, "no answer within 0.05 s")):
        refused = pytest.raises(ProgramError, match=said)
        with opened(config="[approvals]\ntimeout = '50 ms'\n", approver=approver) as session, refused:
            session.run(source(PROGRAM), ("x",))
    assert [thread.daemon for thread in left] == [True]  # the process need not wait for it


def test_nobody_is_asked_about_what_may_not_be(kit, source, opened, store):
    """Rules come first: what lies beyond reach runs at home, unasked; a guard that refuses is not put to a person."""
    with opened(Asks(RemoteModel("r")), "[security]\nreach = 'local'\n") as session:
        assert str(session.run(source(PROGRAM), ("x",)).value) == ":own"

    class Refuses:
        def check_request(self, guarded):
            return Refuse("never")

        def check_reply(self, guarded, reply):
            return None

    guard = GuardEntry(name="g", summary="", factory=lambda _: Refuses())
    with opened(guards=[guard], config="[guards.g]\n") as session:
        result = session.run(source(PROGRAM), ("x",))
    assert [each.attempt.guard for each in result.calls[0].attempts][:1] == ["g"]
    assert not store.path.exists()


def test_a_capability_that_is_not_granted_is_refused_unasked(source, opened, store, capability):
    pay = capability("pay", lambda _: "paid")
    refused = pytest.raises(ProgramError, match="not granted; add  grant")
    with opened(Asks(Capability("pay")), capabilities=[pay]) as session, refused:
        session.run(source(PROGRAM), ("x",))
    assert not store.path.exists()


def test_a_yes_is_for_one_target_so_there_is_no_second_request(kit, source, opened, store):
    class Hedges(Asks):
        def decide(self, context):
            hedge = Hedge(target=RemoteModel("r"), after=0.0)
            return attrs.evolve(super().decide(context), hedge=hedge)

    with opened(Hedges()) as session:
        answering(session, store, yes=True)
        assert session.run(source(PROGRAM), ("x",)).value == "said"
    assert not kit.providers["r"].requests


def test_rules_are_looked_at_again_when_it_is_sent(kit, source, opened, store):
    calls = []

    class Once:
        def check_request(self, guarded):
            calls.append(guarded.target)
            return None if len(calls) == 1 else Refuse("changed my mind")

        def check_reply(self, guarded, reply):
            return None

    guard = GuardEntry(name="g", summary="", factory=lambda _: Once())
    with opened(guards=[guard], config="[guards.g]\n") as session:
        answering(session, store, yes=True)
        session.run(source(PROGRAM), ("x",))
    assert len(calls) == 2
    assert not kit.providers["m"].requests


def test_a_capability_and_the_own_body_may_wait_too(source, opened, store, capability):
    pay = capability("pay", lambda request: request.args[0] + " paid")
    for then, value in ((Capability("pay"), "x paid"), (None, ":own")):
        engine = Asks() if then is None else Asks(then)
        if then is None:
            engine.target = Ask("boss")
        with opened(engine, "[security]\ngrant = ['pay']\n", capabilities=[pay]) as session:
            answering(session, store, yes=True)
            assert str(session.run(source(PROGRAM), ("x",)).value) == value


def test_a_run_that_is_stopped_waits_no_more(source, opened, store):
    with opened(limits=None) as session:
        session.limits = attrs.evolve(session.limits, seconds=0.2)
        with pytest.raises(Exception, match="seconds"):
            session.run(source(PROGRAM), ("x",))
    assert [row.state for row in store.listed(every=True)] == ["withdrawn"]


def test_nothing_left_may_ask_too(kit, source, opened, store):
    def breaks(_):
        raise ZeroDivisionError

    catalog = kit.catalog(kit.provider("m", breaks))
    config = "[delegation]\non_exhausted = 'ask'\nstatic_routes = { f = 'local-m' }\n"
    with kit.open(catalog, config) as session:
        waited = answering(session, store, yes=True)
        assert str(session.run(source(PROGRAM), ("x",)).value) == ":own"
    assert [request.target for request in waited] == ["local-pure"]


def test_without_a_yes_the_error_says_what_had_failed_before(kit, source, opened, store):
    def breaks(_):
        raise ProviderUnavailable("m", "the server is on fire", status=500)

    config = "[delegation]\non_exhausted = 'ask'\nstatic_routes = { f = 'local-m' }\n[approvals]\ntimeout = '1s'\n"
    with kit.open(kit.catalog(kit.provider("m", breaks)), config) as session, pytest.raises(ProgramError) as raised:
        session.run(source(PROGRAM), ("x",))
    error = raised.value
    assert error.kind == "SecurityViolation"
    assert "not approved by 'operator'" in error.message
    assert "because of NetworkError: m: the server is on fire" in error.message
    assert (error.value.cause.kind, error.value.cause.message) == ("NetworkError", "m: the server is on fire")


def test_it_is_told_to_observers(kit, source, store):
    seen = []
    observer = ObserverEntry(
        name="o",
        summary="",
        factory=lambda: seen.append,
        events=EVENTS,
    )
    catalog = kit.catalog(kit.provider("m", lambda _: "said"), engine=Asks(), observers=[observer])
    with kit.open(catalog, "") as session:
        answering(session, store, yes=True)
        session.run(source(PROGRAM), ("secret",))
    assert [event.name for event in seen] == ["approval.waiting", "approval.answered"]
    assert "secret" not in str(seen)
