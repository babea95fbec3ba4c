"""Questions of programs in the terminal: where there is one, what is shown, which line is the answer."""

from __future__ import annotations

import io
import sys

import pytest

from rtfs_framework.cli import options, person


def test_nobody_is_asked_where_nobody_watches():
    assert person.answerer_here() is None


def test_nobody_is_asked_where_there_is_no_terminal(monkeypatch):
    def none():
        raise OSError("no such device")

    monkeypatch.setattr(person, "is_terminal", lambda stream: stream is sys.stderr)
    monkeypatch.setattr(person, "_open", none)
    assert person.answerer_here() is None


@pytest.mark.parametrize(
    ("typed", "answer"),
    [(b"Ada\n", "Ada"), (b"\n", ""), (b" Ada \r\n", " Ada "), (b"\xff\n", "\ufffd"), (b"half", "half"), (b"", None)],
)
def test_one_line_is_the_answer_and_the_end_is_none(monkeypatch, capsys, typed, answer):
    monkeypatch.setattr(person, "is_terminal", lambda _: True)
    monkeypatch.setattr(person, "_open", lambda: io.BytesIO(typed + b"next\n" if typed.endswith(b"\n") else typed))
    ask = person.answerer_here()
    assert ask is not None
    assert ask("Name?", None) == answer
    assert capsys.readouterr() == ("", "Name? ")


def test_a_question_steers_no_terminal(monkeypatch, capsys):
    monkeypatch.setattr(person, "_open", lambda: io.BytesIO(b"\n"))
    person.ask("Na\x1b]0;x\x07me?\r", "B\x9bob")
    assert capsys.readouterr().err == "Na\\u001b]0;x\\u0007me? [B\\u009bob] "
    person.ask("Name?\nerror: forged", None)
    assert capsys.readouterr().err == "Name?\n    error: forged "


@pytest.mark.parametrize(("watched", "shown"), [(False, "..."), (True, "Na\\u001b[2Jme?\\nerror: forged")])
def test_without_a_terminal_it_is_told_how_to_answer(monkeypatch, capsys, watched, shown):
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setattr("rtfs_framework.orchestrator.config.colour.is_terminal", lambda _: watched)
    options._say_what_is_asked("Na\x1b[2Jme?\nerror: forged", "0123456789abcdef", "answer-0-1")
    help_ = "  help: rtfs runs signal 0123456789ab answer-0-1 TEXT\n"
    assert capsys.readouterr().err == f"waiting for an answer: {shown}\n{help_}"
