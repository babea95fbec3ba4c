"""Questions of programs in the terminal: where there is one, what is shown, which line is the answer."""

from __future__ import annotations

import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from rtfs_framework.cli import options, person


def holding(typed):
    """Return what stands for a terminal in which something was typed."""
    reading, typing = os.pipe()
    os.write(typing, typed)
    os.close(typing)
    return os.fdopen(reading, "rb", buffering=0)


def test_nobody_is_asked_where_nobody_watches():
    assert person.terminal_here() is None


def test_nobody_is_asked_where_there_is_no_terminal(monkeypatch):
    def none():
        raise OSError("no such device")

    monkeypatch.setattr(person, "is_terminal", lambda stream: stream is sys.stderr)
    monkeypatch.setattr(person, "_open", none)
    assert person.terminal_here() is None


@pytest.mark.parametrize(
    ("typed", "answer"),
    [(b"Ada\n", "Ada"), (b"\n", ""), (b" Ada \r\n", " Ada "), (b"\xff\n", "\ufffd"), (b"half", "half"), (b"", None)],
)
def test_one_line_is_the_answer_and_the_end_is_none(monkeypatch, capsys, typed, answer):
    monkeypatch.setattr(person, "is_terminal", lambda _: True)
    monkeypatch.setattr(person, "_open", lambda: holding(typed + b"next\n" if typed.endswith(b"\n") else typed))
    begin = person.terminal_here()
    assert begin is not None
    ask, withdraw = begin()
    assert ask("Name?", None) == answer
    withdraw()
    assert capsys.readouterr() == ("", "Name? ")


def asked(*question):
    ask, withdraw = person.begin()
    said = ask(*question)
    withdraw()
    return said


def test_a_question_steers_no_terminal(monkeypatch, capsys):
    monkeypatch.setattr(person, "_open", lambda: holding(b"\n"))
    asked("Na\x1b]0;x\x07me?\r", "B\x9bob")
    assert capsys.readouterr().err == "Na\\u001b]0;x\\u0007me? [B\\u009bob] "
    asked("Name?\nerror: forged", None)
    assert capsys.readouterr().err == "Name?\n    error: forged "


def test_what_is_shown_of_a_question_and_of_its_usual_answer_is_bounded(monkeypatch, capsys):
    monkeypatch.setattr(person, "_open", lambda: holding(b"\n"))
    asked("q" * 100_000, "u" * 100_000)
    assert capsys.readouterr().err == f"{'q' * 4000}... [{'u' * 200}...] "


def test_a_question_that_is_withdrawn_lets_the_next_one_have_the_terminal(monkeypatch, capsys):
    reading, typing = os.pipe()
    monkeypatch.setattr(person, "_open", lambda: os.fdopen(os.dup(reading), "rb", buffering=0))
    questions = [person.begin() for _ in range(3)]
    with ThreadPoolExecutor(3) as threads:
        first = threads.submit(questions[0][0], "One?", None)
        while not capsys.readouterr().err:
            time.sleep(0.001)
        second = threads.submit(questions[1][0], "Two?", None)
        questions[1][1]()
        questions[0][1]()
        assert (first.result(30), second.result(30)) == (None, None)
        third = threads.submit(questions[2][0], "Three?", None)
        os.write(typing, b"Ada\n")
        assert third.result(30) == "Ada"
    questions[2][1]()
    assert capsys.readouterr().err == "Three? "
    os.close(reading)
    os.close(typing)


@pytest.mark.parametrize(("watched", "shown"), [(False, "..."), (True, "Na\\u001b[2Jme?\\nerror: forged")])
def test_without_a_terminal_it_is_told_how_to_answer(monkeypatch, capsys, watched, shown):
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setattr("rtfs_framework.orchestrator.config.colour.is_terminal", lambda _: watched)
    options._say_what_is_asked("Na\x1b[2Jme?\nerror: forged", "0123456789abcdef", "answer-0-1")
    help_ = "  help: rtfs runs signal 0123456789ab answer-0-1 TEXT\n"
    assert capsys.readouterr().err == f"waiting for an answer: {shown}\n{help_}"
