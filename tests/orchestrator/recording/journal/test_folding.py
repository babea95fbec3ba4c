"""SQLite's log of writes is folded into the file while calls go on, and begins anew: it does not grow with the runs."""

from __future__ import annotations

from contextlib import closing

from rtfs_framework.orchestrator.recording.journal import writer

ROUNDS = 16


def test_the_log_of_writes_stays_small_while_calls_never_pause(desk, monkeypatch):
    rows = 256
    monkeypatch.setattr(writer, "_FOLDED", rows)
    log = desk.path.with_name(f"{desk.path.name}-wal")
    with closing(desk.journal()) as journal:
        chain = journal.begin("r", "d", "s", "p", "v")
        first = most = 0
        for n in range(ROUNDS * rows // 2):
            chain.begin(desk.record(n))
            chain.add(desk.record(n))
            most = max(most, log.stat().st_size)
            if n == rows // 2 - 2:  # before it is folded for the first time
                first = most
        chain.end("complete")
    assert first > 100_000
    assert most < first * ROUNDS / 2
    assert desk.verify("r").entries == ROUNDS * rows // 2
