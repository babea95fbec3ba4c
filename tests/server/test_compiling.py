"""Compiling what somebody sends holds nobody else up, and is bounded in size and time."""

from __future__ import annotations

import asyncio
import threading

import httpx
import pytest

from rtfs_framework.lang.errors import LimitError
from rtfs_framework.lang.source import Source
from rtfs_framework.orchestrator.concurrency.deadlines import Deadlines
from rtfs_framework.orchestrator.running import linking
from rtfs_framework.orchestrator.running.narrowing import NO_NARROWING
from rtfs_framework.orchestrator.session import Session
from rtfs_framework.server.programs import Programs
from rtfs_framework.testing.clock import FakeClock
from rtfs_framework.testing.served import served


@pytest.fixture
def gate(monkeypatch):
    """Let no program whose text says "slow" be compiled before the gate is open; return (reached, open)."""
    reached, opened, real = threading.Event(), threading.Event(), linking.prepare

    def prepare(host, source, limits, deadlines=None):
        if "slow" in source.text:
            reached.set()
            assert opened.wait(10)
        return real(host, source, limits, deadlines)

    monkeypatch.setattr(linking, "prepare", prepare)
    yield reached, opened
    opened.set()


@pytest.fixture
def compiles(gate, monkeypatch):
    """Count what is compiled: texts, in order."""
    texts, real = [], linking.prepare

    def prepare(host, source, limits, deadlines=None):
        texts.append(source.text)
        return real(host, source, limits, deadlines)

    monkeypatch.setattr(linking, "prepare", prepare)
    return texts


@pytest.fixture
def programs():
    with Session.open() as session:
        yield Programs(session, most=1, seconds=30.0)


def _asked(programs, text, count):
    """Return tasks that ask for one program at once."""
    source = Source("p.rtfs", text)
    return [asyncio.ensure_future(programs.get(source, text, NO_NARROWING)) for _ in range(count)]


async def _reached(gate):
    assert await asyncio.to_thread(gate[0].wait, 10)


def test_of_equal_requests_one_compiles(programs, gate, compiles):
    async def main():
        tasks = _asked(programs, '(defn main [] "slow")', 6)
        await _reached(gate)
        gate[1].set()
        return await asyncio.gather(*tasks)

    found = asyncio.run(main())
    assert len(compiles) == 1
    assert all(each is found[0] for each in found)


def test_what_one_finds_wrong_is_what_all_hear(programs, gate, compiles):
    async def main():
        tasks = _asked(programs, "(slow)", 3)
        await _reached(gate)
        gate[1].set()
        return await asyncio.gather(*tasks, return_exceptions=True)

    found = asyncio.run(main())
    assert compiles == ["(slow)"]
    assert {type(each).__name__ for each in found} == {"LanguageError"}
    assert len({str(each) for each in found}) == 1


def test_who_asked_first_may_leave(programs, gate, compiles):
    async def main():
        first, *others = _asked(programs, '"slow"', 3)
        await _reached(gate)
        first.cancel()
        await asyncio.wait([first])
        gate[1].set()
        return first.cancelled(), await asyncio.gather(*others)

    left, found = asyncio.run(main())
    assert left
    assert [each.loaded.value for each in found] == ["slow", "slow"]
    assert len(compiles) == 1


def test_what_nobody_waits_for_any_more_is_stopped_and_made_anew(programs, gate, compiles):
    async def main():
        tasks = _asked(programs, '"slow"', 2)
        await _reached(gate)
        for each in tasks:
            each.cancel()
        await asyncio.sleep(0)
        later = _asked(programs, '"slow"', 1)  # while the others are still stopping
        gate[1].set()
        return (await asyncio.gather(*later))[0], await asyncio.gather(*tasks, return_exceptions=True)

    found, left = asyncio.run(main())
    assert found.loaded.value == "slow"
    assert all(isinstance(each, asyncio.CancelledError) for each in left)
    assert len(compiles) == 2


def test_who_waited_for_what_was_dropped_meanwhile_still_has_it_open(programs, gate, compiles):
    async def main():
        tasks = _asked(programs, '(defn main [] "slow")', 2)
        await _reached(gate)
        gate[1].set()
        kept = (await asyncio.gather(*tasks))[0]
        with kept:
            await programs.get(Source("p.rtfs", '"b"'), "b", NO_NARROWING)
            open_while_used = not kept.loaded.closed
        return open_while_used, kept.loaded.closed

    assert asyncio.run(main()) == (True, True)


def test_others_are_served_while_a_program_is_compiled(gate, ask):
    reached, opened = gate
    with served("[limits]\nsteps = 'off'") as server:
        answers = []
        thread = threading.Thread(target=lambda: answers.append(ask(server, '(defn main [] "slow")', entry="main")))
        thread.start()
        assert reached.wait(10)
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
