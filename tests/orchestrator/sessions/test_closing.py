"""Closing waits for what runs or cancels it, once, from any thread; afterwards, and in a forked child, use fails."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time

import pytest

from rtfs_framework import Session, SessionClosedError
from rtfs_framework.api import InferenceReply, ProgramError, Usage
from rtfs_framework.lang.errors import RtfsError
from rtfs_framework.orchestrator.session import Session as OrchestratorSession

ASK = '(defn ^:delegation :local-model "m" ask "Answer." [x :int] :string "")\n'

USES = {
    "run": lambda session: session.run("(+ 1 2)"),
    "run_async": lambda session: asyncio.run(session.run_async("(+ 1 2)")),
    "load": lambda session: session.load("(+ 1 2)"),
    "link": lambda session: session.link("(+ 1 2)"),
    "check": lambda session: session.check("(+ 1 2)"),
    "explain": lambda session: session.explain("(+ 1 2)"),
}


@pytest.mark.parametrize("use", USES)
def test_use_after_close_is_an_error(kit, use):
    session = kit.open()
    USES[use](session)
    session.close()
    session.close()
    with pytest.raises(SessionClosedError, match=r"E0920.*the session was closed\n  help: open another one"):
        USES[use](session)


def test_a_closed_program_is_not_called(kit):
    with kit.open() as session:
        program = session.load("(defn f [] 1)")
        stream = session.stream(program, "f", [])
        program.close()
        with pytest.raises(SessionClosedError, match="load it again"):
            program.call("f")
        assert list(stream) == []


@pytest.mark.parametrize("wrong", [7, None, b"(+ 1 2)"])
def test_what_is_no_program_is_refused(kit, wrong):
    with kit.open() as session, pytest.raises(TypeError, match=r"a text or a Source\(name, text\)"):
        session.run(wrong)


def begun(slow, count=1):
    """Wait until the provider was asked so often."""
    while len(slow.asked) < count:
        time.sleep(0.001)


def test_closing_waits_for_what_runs(service, slow, recorded):
    slow.pause = 0.2
    session, found = service(), []
    thread = threading.Thread(target=lambda: found.append(session.run(ASK + "(ask 1)").value))
    thread.start()
    begun(slow)
    session.close()
    thread.join(60)
    assert found == ["<1>"]
    assert [status for status, _ in recorded().values()] == ["complete"]


@pytest.mark.parametrize("text", [ASK + "(ask 1)", "(loop [i 0] (recur (inc i)))", ASK + "(pmap ask [1 1 2])"])
@pytest.mark.parametrize("way", ["thread", "task"])
@pytest.mark.parametrize("how", [{"wait": False}, {"timeout": 0.05}])
def test_closing_cancels_what_runs(service, slow, recorded, text, way, how):
    slow.hold.update({1, 2})
    session, errors = service(), []

    def work():
        try:
            session.run(text) if way == "thread" else asyncio.run(session.run_async(text))
        except SessionClosedError as error:
            errors.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    while not session.portal.uses._active:
        time.sleep(0.001)
    if "ask" in text:
        begun(slow)
    session.close(**how)
    thread.join(60)
    assert ["while the run was under way" in str(error) for error in errors] == [True]
    if "ask" in text:
        assert [status for status, _ in recorded().values()] == ["interrupted"]
        assert slow.cancelled >= 1


def test_closing_from_several_threads(service, slow, together):
    slow.pause = 0.1
    session = service()
    thread = threading.Thread(target=session.run, args=(ASK + "(ask 1)",))
    thread.start()
    begun(slow)
    assert together(5, lambda _: session.close()) == []
    assert not thread.is_alive() or thread.join(60) is None


def test_a_run_cannot_close_its_own_session(kit, capability):
    opened = []

    def plain(_request):
        opened[0].close()

    async def awaited(_request):
        await opened[0].aclose()

    offered = [capability("a", plain), capability("b", awaited), capability("c", plain, blocking=True)]
    with kit.open(kit.catalog(capabilities=offered), '[security]\ngrant = ["*"]\n') as session:
        opened.append(session)
        for name in "abc":
            with pytest.raises(ProgramError, match="cannot be closed by a run of its own"):
                session.run(f"(call :{name})")
            with pytest.raises(ProgramError, match="cannot be closed by a run of its own"):
                asyncio.run(session.run_async(f"(call :{name})"))


def test_a_session_that_is_left_by_an_error_cancels(service, slow):
    slow.hold.add(1)
    errors = []

    def work(session):
        try:
            session.run(ASK + "(ask 1)")
        except RtfsError as error:
            errors.append(error)

    with pytest.raises(ZeroDivisionError), service() as session:  # noqa: PT012 - it is left in the middle
        thread = threading.Thread(target=work, args=(session,))
        thread.start()
        begun(slow)
        raise ZeroDivisionError
    thread.join(60)
    assert [type(error) for error in errors] == [SessionClosedError]


def test_a_stream_that_is_half_read_is_ended_by_closing(service, slow):
    with service() as session:
        program = session.load(ASK)
        stream = session.stream(program, "ask", range(50), concurrency=8)
        assert next(stream).value == "<0>"
    with pytest.raises(SessionClosedError):
        next(stream)
    assert len(slow.asked) < 50


PAID = ASK.replace(":local-model", ":remote")
PRICED = "[delegation.remote_providers.m]\nprovider = 'm'\ninput_cost = 1\noutput_cost = 1\n"
RECORD = {
    "call": "",
    "fan-out": "(defn main [x] (pmap ask [x x]))",
    "clean-up": "(defn main [x] (try (ask x) (finally (ask x))))",
}


@pytest.fixture
def paid(kit):
    """Return a priced session; its provider asks `answer` what a record takes."""

    def opened(answer):
        return kit.open(kit.catalog(kit.provider("m", answer, remote=True)), PRICED)

    return opened


def half_read(session, text, count=8):
    program = session.load(PAID + text)
    stream = session.stream(program, "main" if text else "ask", range(count), concurrency=count)
    return program, stream


@pytest.mark.parametrize("text", RECORD.values(), ids=RECORD)
@pytest.mark.parametrize("closing", ["session", "program", "task"])
def test_another_thread_that_closes_leaves_no_call_of_a_stream_open(paid, recorded, together, text, closing):
    came = []

    async def answer(request):
        came.append(request.args[0])
        if request.args[0] == 7:
            await asyncio.sleep(3600)
        return InferenceReply(text='"fine"', usage=Usage(1_000_000, 0))

    session = paid(answer)
    program, stream = half_read(session, text)
    next(stream)
    while set(came) < set(range(8)):
        time.sleep(0.001)
    if closing == "task":
        asyncio.run(_closed_here(session))
    else:
        assert together(1, lambda _: (session if closing == "session" else program).close()) == []
    ((status, calls),) = recorded().values()
    assert status == "interrupted"
    answered = [call for call in calls if call["outcome"] == "value"]
    assert len(answered) <= len(came) <= len(calls), "every request has its record; what was given up may have none"
    assert {call["state"] for call in calls} == {"ended"}
    costs = [call["cost"] for call in calls]
    assert sum(filter(None, costs)) == len([n for n in came if n != 7]), "what was answered is billed"
    assert costs.count(None) == came.count(7), "what was not may have cost something"
    with pytest.raises(SessionClosedError):
        next(stream)
    session.close()


async def _closed_here(session):
    session.close()


@pytest.mark.parametrize("closing", ["session", "program"])
def test_closing_stops_a_thread_that_waits_for_a_record(paid, recorded, together, closing):
    asked = threading.Semaphore(0)

    async def answer(_):
        asked.release()
        await asyncio.sleep(3600)

    session = paid(answer)
    program, stream = half_read(session, "", 4)

    def work(number):
        if number:
            for _ in range(4):
                asked.acquire()
            session.close(wait=False) if closing == "session" else program.close()
        else:
            with pytest.raises(SessionClosedError):
                next(stream)

    assert together(2, work) == []
    ((status, calls),) = recorded().values()
    assert (status, [call["state"] for call in calls]) == ("interrupted", ["ended"] * 4)
    session.close()


def test_a_program_that_is_closed_while_it_is_called_is_not_complete(paid, recorded, together):
    asked, go = threading.Event(), threading.Event()

    async def answer(_):
        asked.set()
        await asyncio.to_thread(go.wait)
        return '"fine"'

    with paid(answer) as session:
        program = session.load(PAID)

        def work(number):
            if number:
                asked.wait()
                program.close()
                go.set()
            else:
                assert program.call("ask", (1,)).value == "fine"

        assert together(2, work) == []
    ((status, calls),) = recorded().values()
    assert (status, len(calls)) == ("interrupted", 1)


def test_a_loop_that_is_given_back_after_closing_is_closed(kit):
    session = kit.open()
    lanes = session.portal.lanes
    early, late = lanes.borrow(), lanes.borrow()
    lanes.give_back(early)
    session.close()
    assert (early.loop.is_closed(), late.loop.is_closed()) == (True, False)
    lanes.give_back(late)
    assert late.loop.is_closed()


def test_ctrl_c_while_closing_cancels_what_is_waited_for(service, slow):
    slow.hold.add(1)
    session, errors = service(), []

    def work():
        try:
            session.run(ASK + "(ask 1)")
        except RtfsError as error:
            errors.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    begun(slow)
    threading.Timer(0.2, lambda: signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        session.close()
    thread.join(60)
    assert [type(error) for error in errors] == [SessionClosedError]


def test_ctrl_c_ends_the_run_of_the_main_thread_alone(service, slow, together, recorded):
    slow.hold.add(1)
    slow.pause = 0.3
    with service() as session:
        others = threading.Thread(target=lambda: together(4, lambda n: session.run(ASK + f"(ask {n + 2})")))
        others.start()
        begun(slow, 4)
        threading.Timer(0.05, lambda: signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)).start()
        with pytest.raises(KeyboardInterrupt):
            session.run(ASK + "(ask 1)")
        others.join(60)
    assert sorted(status for status, _ in recorded().values()) == ["complete"] * 4 + ["interrupted"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_forked_child_gets_an_error_and_leaves_the_journal_alone(service, recorded):
    with service() as session, session.load(ASK + "(ask 1)") as program:
        child = os.fork()
        if not child:
            told = 1
            try:
                for use in (lambda: session.run(ASK + "(ask 2)"), lambda: program.call("ask", (3,))):
                    with pytest.raises(SessionClosedError, match="open one in this process"):
                        use()
                program.close()
                session.close()
                told = 0
            finally:
                os._exit(told)
        assert os.waitpid(child, 0)[1] == 0
        assert program.call("ask", (4,)).value == "<4>"
    ((status, calls),) = recorded().values()
    assert (status, len(calls)) == ("complete", 2)


def test_a_process_that_forgets_to_close_ends(tmp_path):
    import subprocess
    import sys

    script = (
        "import asyncio; from rtfs_framework import Session; from rtfs_framework.registry.catalog import Catalog\n"
        f"s = Session.open(environ={{'RTFS_HOME': {str(tmp_path)!r}}}, catalog=Catalog())\n"
        "print(s.run('(+ 1 2)').value, asyncio.run(s.run_async('(+ 1 3)')).value)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True, cwd=tmp_path, timeout=50
    )
    assert done.stdout.strip() == "3 4"
    assert not done.stderr


def test_the_session_is_the_one_of_the_front_page():
    assert issubclass(Session, OrchestratorSession)


def test_letting_a_stream_go_waits_for_what_computes(service, slow):
    """A run that is under way is closed only when no other run of its program computes."""
    slow.hold.add(2)
    with service() as session:
        program = session.load(ASK + "(defn spin [n] (loop [i 0] (if (< i n) (recur (inc i)) i)))")
        stream = session.stream(program, "ask", [1, 2], concurrency=2)
        assert next(stream).value == "<1>"
        found = []
        thread = threading.Thread(target=lambda: found.append(program.call("spin", (300_000,)).value))
        thread.start()
        while thread.is_alive() and program.lock._lock.acquire(blocking=False):  # it has not begun
            program.lock._lock.release()
            time.sleep(0.001)
        stream.let_go()
        thread.join(60)
    assert found == [300_000]
