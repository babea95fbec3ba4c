"""Compiling what somebody sends holds nobody else up, and is bounded in size and time."""

from __future__ import annotations

import threading

import httpx
import pytest

from rtfs_framework.lang.errors import LimitError
from rtfs_framework.orchestrator.concurrency.deadlines import Deadlines
from rtfs_framework.orchestrator.running import linking
from rtfs_framework.testing.clock import FakeClock
from rtfs_framework.testing.served import served


@pytest.fixture
def gate(monkeypatch):
    """Let no program whose text says "slow" be compiled before the gate is open; return (reached, open)."""
    reached, opened, real = threading.Event(), threading.Event(), linking.prepare

    def prepare(host, source, limits, deadlines=None):
        if "slow" in source.text:
            reached.set()
            assert opened.wait(30)
        return real(host, source, limits, deadlines)

    monkeypatch.setattr(linking, "prepare", prepare)
    yield reached, opened
    opened.set()


def test_others_are_served_while_a_program_is_compiled(gate, ask):
    reached, opened = gate
    with served("[limits]\nsteps = 'off'") as server:
        answers = []
        thread = threading.Thread(target=lambda: answers.append(ask(server, '(defn main [] "slow")', entry="main")))
        thread.start()
        assert reached.wait(30)
        assert ask(server, "(defn main [x] (inc x))", "[1]").json()["value"] == "2", "a run of the same tenant"
        assert httpx.get(f"{server.url}/healthz").status_code == 200
        opened.set()
        thread.join()
    assert answers[0].json()["value"] == '"slow"'


def test_a_deadline_is_one_of_compiling_too(gate, ask):
    with served() as server:
        assert ask(server, '"slow"', deadline=0.1).status_code == 408


def test_a_program_s_text_has_a_bound_of_its_own(ask):
    with served("[serve]\nprogram = 100") as server:
        for text in (f'"{"x" * 100}"', f'"{"é" * 60}"'):
            refused = ask(server, text)
            assert (refused.status_code, refused.json()["error"]["code"]) == (413, "E0946")
            assert "the program's text" in refused.json()["error"]["message"]
        assert ask(server, "(defn main [x] (count x))", f'["{"x" * 200}"]').json()["value"] == "200"


def test_what_is_stopped_ends_where_it_looks_at_the_clock():
    deadlines = Deadlines(FakeClock(), 60.0)
    with deadlines.compiling() as watch:
        watch()
        deadlines.stop()
        with pytest.raises(LimitError):
            watch()
