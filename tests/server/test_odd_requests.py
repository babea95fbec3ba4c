"""Requests that nobody means well: numbers and texts that fit nowhere, and values that take long to read or write."""

from __future__ import annotations

import asyncio
import threading

import httpx
import pytest

from rtfs_framework.server.state import NoTokensError
from rtfs_framework.testing.served import served


@pytest.fixture(scope="module")
def server():
    with served("[security]\nlevel = 'controlled'\ngrant = ['ccos.*']") as made:
        yield made


@pytest.mark.parametrize("more", [{"deadline": 10**400}, {"budget": {"money": 1e305}}, {"budget": {"money": 10**400}}])
def test_a_bound_that_is_larger_than_all_that_is_counted_bounds_nothing(server, ask, more):
    answer = ask(server, "(+ 1 2)", **more)
    assert (answer.status_code, answer.json()["value"]) == (200, "3")


def test_no_request_is_sent_to_another_address(server):
    answer = httpx.get(f"{server.url}/readyz/", headers={"Host": "elsewhere.example"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "E0950")


def test_a_mark_that_nobody_knows_is_refused_for_pure_programs_too(ask):
    with served() as without_labels:
        answer = ask(without_labels, "(+ 1 2)", context={"labels": ["pii"]})
        assert (answer.status_code, answer.json()["error"]["kind"]) == (403, "SecurityViolation")


@pytest.mark.parametrize(
    "program",
    [
        "(reduce (fn [a _] [a a]) 1 (range 12))",
        "(range 5000)",
        "(mapv (fn [x] {:a x}) (range 600))",
        '[(reduce (fn [a _] (str a a)) "a" (range 17))]',
    ],
)
def test_a_large_value_is_written_where_it_holds_up_nobody(server, ask, program, monkeypatch):
    from rtfs_framework.server import values

    threads = set()
    wrote = values.written

    def noted(value):
        threads.add(threading.current_thread().name)
        return wrote(value)

    monkeypatch.setattr(values, "written", noted)
    assert ask(server, program).status_code == 200
    assert threads
    assert "rtfs served" not in threads
    threads.clear()
    assert ask(server, "[1 2 {:a 3}]").status_code == 200
    assert threads == {"rtfs served"}


def test_a_large_body_is_read_where_it_holds_up_nobody():
    from rtfs_framework.server.values import read_beside

    async def places():
        here = threading.get_ident()
        return [await read_beside(lambda _: threading.get_ident() == here, b"x" * size) for size in (100, 100_000)]

    assert asyncio.run(places()) == [True, False]


def test_a_run_that_takes_longer_than_the_host_allows_is_no_deadline_of_the_asker(ask):
    endless = "(defn main [] (loop [i 0] (recur (inc i))))"
    with served("[limits]\nsteps = 'off'\n[serve]\nseconds = 0.3") as hasty:
        answers = [ask(hasty, endless, entry="main", **more) for more in ({}, {"deadline": 20}, {"deadline": 0.1})]
        assert [each.status_code for each in answers] == [408, 408, 408]
        assert [each.json()["error"]["kind"] for each in answers] == ["TooLong", "TooLong", "Deadline"]


def test_long_programs_make_room_for_one_another(ask, monkeypatch):
    from rtfs_framework.server import programs

    monkeypatch.setattr(programs, "_MOST_TEXT", 1_000)
    with served() as server:
        for number in range(5):
            assert ask(server, f'(def a "{"x" * 390}") {number}').json()["value"] == str(number)
        kept = server.state.programs_of("")._kept
        assert len(kept) == 2
        assert ask(server, f'"{"y" * 5_000}"').status_code == 200
        assert len(kept) == 1


def test_a_configuration_that_locks_everybody_out_is_refused(ask):
    with served() as server:
        server.config.write_text("", encoding="utf-8")
        with pytest.raises(NoTokensError, match="nobody could use this server"):
            server.reload()
        assert ask(server, "(+ 1 2)").json()["value"] == "3"


@pytest.mark.parametrize("as_json", [False, True])
def test_the_log_of_a_bug_holds_nothing_of_a_caller(as_json, capsys):
    from rtfs_framework.server.log import make_log

    def broken(body):
        raise ValueError(f"of {body}")

    try:
        broken("zebra" + str(as_json))
    except ValueError as error:
        make_log(as_json=as_json).error("request.failed", exc_info=error)
    said = capsys.readouterr().err
    assert "ValueError" in said
    assert "in broken" in said
    assert "zebraTrue" not in said
    assert "zebraFalse" not in said


def test_what_breaks_a_reload_changes_nothing_and_is_no_traceback(ask, monkeypatch):
    from rtfs_framework.server import serving, state
    from rtfs_framework.server.log import Silence

    def broken(*_):
        raise ValueError("of a plug-in")

    with served() as server:
        monkeypatch.setattr(state, "_opened", broken)
        reloading = serving._Reloading(server.state, Silence())
        with pytest.raises(serving.BrokenReloadError, match="nothing has changed"):
            reloading.now()
        asyncio.run(reloading.told())
        assert server.state.metrics.reloads["refused"] == 2
        assert ask(server, "(+ 1 2)").json()["value"] == "3"
