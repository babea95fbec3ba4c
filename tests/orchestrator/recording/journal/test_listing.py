"""Many runs listed: as many statements as for few, each row read once, waits that have ended left out."""

from __future__ import annotations

from contextlib import closing

import pytest

from rtfs_framework.orchestrator.recording.journal import file, listed, parsing, query, waiting


def write(desk, name, count):
    with closing(desk.journal()) as journal:
        for number in range(count):
            chain = journal.begin(f"{name}-{number}", "digest", "waits.rtfs", "policy", "0.1")
            for call in range(2):
                chain.note("waiting", {"call": f"{name}-{number}:0:{call}", "at": 1.0, "for": f"w{call}"})
            chain.add(desk.record(0))
            chain.end("waiting")


@pytest.fixture
def statements(monkeypatch):
    said = []
    connect = file.connect

    def traced(*args, **options):
        made = connect(*args, **options)
        made.set_trace_callback(lambda text: said.append(text) if text.lstrip().startswith("SELECT") else None)
        return made

    monkeypatch.setattr(file, "connect", traced)
    return said


@pytest.fixture
def read(monkeypatch):
    rows = []
    parsed, parsed_all = parsing.parsed, parsing.parsed_all
    monkeypatch.setattr(waiting, "parsed", lambda text: rows.append(text) or parsed(text))
    monkeypatch.setattr(listed, "parsed_all", lambda texts: rows.extend(texts) or parsed_all(texts))
    return rows


def test_more_runs_take_no_more_statements_and_no_more_reading_of_each(desk, statements, read):
    counts = []
    for more in (3, 30):
        write(desk, f"of {more}", more)
        statements.clear()
        read.clear()
        runs = query.list_runs(desk.path, 10_000)
        waits = waiting.waits_of_rows(desk.path, runs)
        assert all(each.status == "waiting" for each in runs)
        assert all([wait["for"] for wait in waits[each.id]] == ["w1"] for each in runs)
        counts.append((len(statements), len(read) / len(runs)))
    assert counts[0] == counts[1]
    assert counts[0][1] == 2, "its first row and its end"


def test_what_runs_wait_for_is_the_same_as_their_ends_and_as_all_their_rows_say(desk):
    write(desk, "of", 3)
    with closing(desk.journal()) as journal:
        chain = journal.begin("branches", "digest", "waits.rtfs", "policy", "0.1")
        chain.note("waiting", {"call": "branches:2:7:3.0.1", "for": "a", "until": 5.5})
        chain.note("waiting", {"call": "branches:2:7:3.1.1", "for": "b"})
        chain.note("waiting", {"call": "branches:2:7:3.0.1", "for": "again"})
        chain.add(desk.record(1, entry=2, record=7, branch=(3, 0), stopped=True))
        chain.add(desk.record(1, entry=2, record=7, branch=(3, 1)))
        chain.end("waiting")
        journal.begin("for nothing", "digest", "waits.rtfs", "policy", "0.1").end("waiting")
    rows = query.list_runs(desk.path)
    assert [each.status for each in rows] == ["waiting"] * 5
    waits = waiting.waits_of_rows(desk.path, rows)
    assert waits["branches"] == ({"call": "branches:2:7:3.0.1", "for": "again"},)
    ids = [each.id for each in rows]
    assert {run: list(each) for run, each in waits.items()} == waiting.waits_of(desk.path, ids)


def test_a_run_whose_end_says_nothing_of_its_waits_is_looked_up(desk):
    write(desk, "of", 2)
    last = desk.rows("SELECT max(position) FROM log WHERE what = 'end'")[0][0]
    before = waiting.waits_of_rows(desk.path, query.list_runs(desk.path))
    cut = """UPDATE log SET body = '{"calls":1,"ended":0.0,"status":"waiting"}' WHERE position = ?"""
    desk.sql((cut, (last,)))
    rows = query.list_runs(desk.path)
    assert [each.waits is None for each in rows] == [True, False]
    found = waiting.waits_of_rows(desk.path, rows)
    assert {run: list(each) for run, each in found.items()} == {run: list(each) for run, each in before.items()}


def test_more_runs_than_are_read_at_once_are_listed_each_with_its_own_end(desk):
    count = 2 * listed._MANY + 3
    with closing(desk.journal()) as journal:
        chains = [journal.begin(f"run-{number}", "digest", "a.rtfs", "policy", "0.1") for number in range(count)]
        for chain in chains:
            chain.note("checkpoint", {"name": "a"})
        for number, chain in enumerate(reversed(chains)):
            if number % 3:
                chain.end("failed" if number % 2 else "complete", ValueError(f"no {number}") if number % 2 else None)
    rows = query.list_runs(desk.path, count + 1)
    assert [each.id for each in rows] == [f"run-{number}" for number in reversed(range(count))]
    ends = [("complete", "failed")[number % 2] if number % 3 else "unfinished" for number in range(count)]
    assert [each.status for each in rows] == ends
    assert [each.id for each in query.list_runs(desk.path, 3, before="run-300")] == ["run-299", "run-298", "run-297"]


@pytest.mark.parametrize("spoilt", ["no JSON", '{"a":1},{"b":2}', '{"a":', "[]", b"{}", 7, None])
def test_rows_that_are_read_together_are_those_that_are_read_alone(spoilt):
    for texts in ([spoilt], ['{"a":1}', spoilt], [spoilt, '{"a":1}', '{"b":[2]}']):
        assert parsing.parsed_all(texts) == [parsing.parsed(text) for text in texts]
    assert parsing.parsed_all([]) == []
