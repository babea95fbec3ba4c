"""Questions to people: put by whoever opened the session, else answered by a word from outside; written down once."""

from __future__ import annotations

import threading
import time

import pytest

from rtfs_framework.api import CapabilityEntry, ProgramError
from rtfs_framework.orchestrator.recording.journal import query
from rtfs_framework.orchestrator.recording.journal.kept import value_text
from rtfs_framework.orchestrator.recording.journal.outside import tell
from rtfs_framework.orchestrator.recording.purse import RunParked
from rtfs_framework.orchestrator.running.resuming import Resuming
from rtfs_framework.testing.clock import FakeClock

GRANT = '[security]\ngrant = ["ask"]\n'


def never(_request):
    raise AssertionError("the host answers it")


@pytest.fixture
def opened(kit):
    """Return a function that opens a session which may ask."""
    entry = CapabilityEntry(id="ask", summary="Asks.", handler=never, served="person")

    def open_session(config=GRANT, **options):
        return kit.open(kit.catalog(capabilities=[entry]), config, **options)

    return open_session


def put(opened, source, text, said, **options):
    """Run a program whose questions are answered so; return its value and the questions."""
    asked = []

    def answerer(question, otherwise):
        asked.append((question, otherwise))
        found = said.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    with opened(answerer=answerer, **options) as session:
        return session.run(source(text)).value, asked


@pytest.mark.parametrize(
    ("call", "said", "value", "asked"),
    [
        ('(call :ask "Name?")', "Ada", "Ada", ("Name?", None)),
        ('(call :ask "Name?")', "", "", ("Name?", None)),
        ('(call :ask "Name?" "Bob")', "", "Bob", ("Name?", "Bob")),
        ('(call :ask "Name?" "Bob")', "Ada", "Ada", ("Name?", "Bob")),
        ('(call :ask {:prompt "Name?" :default "Bob"})', "", "Bob", ("Name?", "Bob")),
        ('(call :ask {"question" "Name?"})', "Ada", "Ada", ("Name?", None)),
        ('(call :ask "Name?" {:timeout 5000})', "Ada", "Ada", ("Name?", None)),
    ],
)
@pytest.mark.parametrize("journal", [True, False])
def test_whoever_opened_the_session_is_asked(opened, source, call, said, value, asked, journal):
    assert put(opened, source, call, [said], journal=journal) == (value, [asked])


@pytest.mark.parametrize(
    "call", ["(call :ask)", "(call :ask 3)", '(call :ask "a" 3)', '(call :ask "a" "b" "c")', "(call :ask {})"]
)
def test_what_is_no_question_is_refused_before_anybody_is_asked(opened, source, call):
    with pytest.raises(ProgramError, match=r"ask takes a question; write \(call") as caught:
        put(opened, source, call, [])
    assert caught.value.kind == "InvalidArgument"


@pytest.mark.parametrize(("said", "words"), [(None, "nobody answered"), (OSError("gone"), "could not be put: gone")])
def test_no_answer_is_an_error_and_never_the_default(opened, source, said, words):
    with pytest.raises(ProgramError, match=words):
        put(opened, source, '(call :ask "Name?" "Bob")', [said])


def test_without_a_grant_nobody_is_asked(opened, source):
    with pytest.raises(ProgramError, match='add  grant = \\["ask"\\]') as caught:
        put(opened, source, '(call :ask "Name?")', [], config="")
    assert caught.value.kind == "SecurityViolation"


def test_where_nobody_can_be_asked_the_way_out_is_told(opened, source):
    with opened(journal=False) as session, pytest.raises(ProgramError, match="there is no terminal here; run it in"):
        session.run(source('(call :ask "Name?" "Bob")'))


def signal(opened, name, value):
    with opened() as session:
        run = query.list_runs(session.host.journal.path)[0].id
        tell(session.host.journal, run, "signalled", {"name": name}, value_text(value))
    return run


def test_a_word_from_outside_answers_the_one_question_that_it_names(opened, source):
    clock, told = FakeClock(), []
    text = '(defn main [] [(call :ask "One?") (call :ask "Two?" "usual") (call :ask "Three?")])'
    with opened(clock=clock) as session:
        session.host.people.waits.park = 0.0
        session.host.people.listeners.append(lambda *words: told.append(words))
        with pytest.raises(RunParked, match="waits for :answer-"):
            session.run(source(text), entry="main")
    (first,) = told
    run = signal(opened, first[2].replace("answer", "answers"), "not this one")
    for number, said in enumerate(("one", "", 3)):
        assert signal(opened, told[number][2], said) == run
        with opened(clock=clock) as session:
            session.host.people.waits.park = 0.0
            session.host.people.listeners.append(lambda *words: told.append(words))
            if number < 2:
                with pytest.raises(RunParked):
                    session.resume(Resuming(run=run))
            else:
                assert session.resume(Resuming(run=run)).value == ("one", "usual", "3")
    assert [each[0] for each in told[-1:]] == ["Three?"]
    assert len({each[2] for each in told}) == 3


def test_a_run_that_waits_for_an_answer_gives_up_by_the_clock(opened, source):
    clock, told = FakeClock(), threading.Event()
    failed = []

    def work():
        with opened(clock=clock) as session:
            session.host.people.listeners.append(lambda *_: told.set())
            try:
                session.run(source('(call :ask "Name?" "Bob")'))
            except ProgramError as error:
                failed.append(error.message)

    thread = threading.Thread(target=work)
    thread.start()
    assert told.wait(30)
    while thread.is_alive():
        clock.advance(400)
        time.sleep(0.01)
    thread.join()
    assert failed == ["ask: nobody answered within 300 s ([approvals] timeout)"]


def test_an_answer_is_not_asked_for_again_when_a_run_is_gone_on_with(kit, opened, source):
    asked = []

    def answerer(question, _otherwise):
        asked.append(question)
        return "Ada"

    text = '(defn main [] (let [a (call :ask "Name?")] (host/sleep "1h") a))'
    clock = FakeClock()
    with opened(clock=clock, answerer=answerer) as session:
        session.host.people.waits.park = 0.0
        with pytest.raises(RunParked):
            session.run(source(text), entry="main")
    clock.advance(3601)
    with opened(clock=clock, answerer=answerer) as session:
        assert session.resume(Resuming(run=query.list_runs(kit.journal)[0].id)).value == "Ada"
    assert asked == ["Name?"]


def test_an_answer_that_was_sent_is_taken_before_anybody_is_asked(kit, opened, source):
    told = []
    text = '(defn main [] [(call :ask "One?") (call :ask "Two?" "usual")])'
    with opened() as session:
        session.host.people.waits.park = 0.0
        session.host.people.listeners.append(lambda *words: told.append(words))
        with pytest.raises(RunParked):
            session.run(source(text), entry="main")
    run = signal(opened, told[0][2], "Ada")
    asked = []
    with opened(answerer=lambda question, _: asked.append(question) or "typed") as session:
        assert session.resume(Resuming(run=run)).value == ("Ada", "typed")
    assert asked == ["Two?"]


def test_an_answer_that_is_sent_meanwhile_withdraws_the_question(opened, source):
    withdrawn = threading.Event()

    def begin():
        def put(_question, _otherwise):
            run = query.list_runs(session.host.journal.path)[0].id
            tell(session.host.journal, run, "signalled", {"name": "answer-0-0"}, value_text("Ada"))
            assert withdrawn.wait(30)

        return put, withdrawn.set

    with opened() as session:
        session.host.people.begin = begin
        assert session.run(source('(call :ask "Name?")')).value == "Ada"
    assert withdrawn.is_set()


def test_a_question_is_withdrawn_when_its_run_fails_elsewhere(opened, source):
    put_, withdrawn = threading.Event(), threading.Event()

    def begin():
        def put(*_):
            put_.set()
            withdrawn.wait(30)

        return put, withdrawn.set

    program = source('(step-parallel (do (host/sleep 0.1) (/ 1 0)) (call :ask "Name?"))')
    with opened() as session:
        session.host.people.begin = begin
        with pytest.raises(ProgramError) as caught:
            session.run(program)
    assert caught.value.kind == "DivisionByZero"
    assert put_.is_set()
    assert withdrawn.is_set()


def test_a_terminal_that_cannot_be_prepared_is_no_answer(opened, source):
    def begin():
        raise OSError("too many files")

    with opened() as session:
        session.host.people.begin = begin
        with pytest.raises(ProgramError, match="could not be put: too many files"):
            session.run(source('(call :ask "Name?" "Bob")'))


@pytest.mark.parametrize("error", [StopIteration("mine"), SystemExit(3)], ids=repr)
def test_whatever_an_answerer_raises_ends_the_wait(opened, source, error):
    def answerer(*_):
        raise error

    with opened(answerer=answerer) as session, pytest.raises((ProgramError, SystemExit)) as caught:
        session.run(source('(call :ask "Name?")'))
    assert isinstance(caught.value, SystemExit) == isinstance(error, SystemExit)


def test_an_answerer_that_nobody_waits_for_any_more_holds_no_process_up(opened, source):
    threads, go = [], threading.Event()

    def answerer(*_):
        threads.append(threading.current_thread())
        go.wait(30)

    with opened(answerer=answerer) as session, pytest.raises(ProgramError):
        session.run(source('(step-parallel (do (host/sleep 0.1) (/ 1 0)) (call :ask "Name?"))'))
    (thread,) = threads
    assert (thread.is_alive(), thread.daemon) == (True, True)
    go.set()
    thread.join(30)
