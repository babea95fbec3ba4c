"""Requests that nobody means well: numbers and texts that fit nowhere, and values that take long to read or write."""

from __future__ import annotations

import asyncio
import threading

import httpx
import pytest

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
