"""Many runs listed: as many statements as for few, each row read once, waits that have ended left out."""

from __future__ import annotations

from contextlib import closing

import pytest

from rtfs_framework.orchestrator.recording.journal import file, query, waiting


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
    for module in (query, waiting):
        parsed = module.parsed
        monkeypatch.setattr(module, "parsed", lambda text, parsed=parsed: rows.append(text) or parsed(text))
    return rows


def test_more_runs_take_no_more_statements_and_no_more_reading_of_each(desk, statements, read):
    counts = []
    for more in (3, 30):
        write(desk, f"of {more}", more)
        statements.clear()
        read.clear()
        runs = query.list_runs(desk.path, 10_000)
        waits = waiting.waits_of(desk.path, [each.id for each in runs])
        assert all(each.status == "waiting" for each in runs)
        assert all([wait["for"] for wait in waits[each.id]] == ["w1"] for each in runs)
        counts.append((len(statements), len(read) / len(runs)))
    assert counts[0] == counts[1]
    assert counts[0][1] == 4, "its first row, its end and its two waits"
