"""64 callers in 4 processes, some of which are killed: never more than the budget, and nothing leaks after the leases.

Each process spends with many threads: reserve, begin, send, settle, until the budget is empty. What was sent is written
to a file of the process's own with one `write` each, before the settlement, as a server's bill would be: that is the
truth that the ledger is compared with.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path
from threading import Thread

import pytest

from rtfs_framework.orchestrator.concurrency.clock import SystemClock
from rtfs_framework.orchestrator.performing.budgets.amounts import Amount, Limit
from rtfs_framework.orchestrator.performing.budgets.ledger import Account, Claim, ExhaustedError
from rtfs_framework.orchestrator.performing.budgets.sqlite_ledger import SqliteLedger
from rtfs_framework.testing.clock import FakeClock

LIMIT = 15_000_000
BOUND = Amount(10_000, 100, 1)
LEASE = 120.0
BUDGET = Account(budget="money", limit=Limit(nano=LIMIT))
CALLS = Account(budget="calls", limit=Limit(calls=3_500))


def spend(ledger: SqliteLedger, bills: int, seed: int) -> None:
    """Spend until nothing is left."""
    choose = random.Random(seed)
    claim = Claim(bound=BOUND, lease=LEASE, symbol="f", target="remote:x")
    while True:
        try:
            reservation = ledger.reserve(claim, [BUDGET, CALLS])
        except ExhaustedError:
            return
        time.sleep(choose.random() * 0.004)
        if not ledger.begin(reservation, 60):
            continue
        took = Amount(choose.randrange(1, BOUND.nano), choose.randrange(BOUND.tokens), 1)
        os.write(bills, f"{took.nano}\n".encode())
        time.sleep(choose.random() * 0.004)
        ledger.settle(reservation, took)


def main(folder: Path, seed: int, threads: int) -> None:
    """Spend with some threads."""
    ledger = SqliteLedger(folder / "ledger.sqlite", SystemClock())
    bills = os.open(folder / f"bill-{seed}", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    crew = [Thread(target=spend, args=(ledger, bills, seed * 1000 + each)) for each in range(threads)]
    for each in crew:
        each.start()
    for each in crew:
        each.join()


PROCESSES, THREADS, KILLED = 4, 16, 6


def start(folder: Path, seed: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, __file__, str(folder), str(seed), str(THREADS)])


def billed(folder: Path) -> int:
    lines = [line for bill in folder.glob("bill-*") for line in bill.read_text().split("\n")]
    return sum(map(int, filter(None, lines)))


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_killed_processes_neither_overspend_nor_leak(tmp_path: Path) -> None:
    running = [start(tmp_path, seed) for seed in range(PROCESSES)]
    for seed in range(PROCESSES, PROCESSES + KILLED):
        seen = billed(tmp_path)
        while billed(tmp_path) < seen + LIMIT // (2 * KILLED) and running[0].poll() is None:
            time.sleep(0.02)
        running[0].kill()  # on POSIX: kill -9
        running[0].wait()
        running = [*running[1:], start(tmp_path, seed)]
    assert [each.wait(timeout=300) for each in running] == [0] * PROCESSES

    ledger = SqliteLedger(tmp_path / "ledger.sqlite", FakeClock(wall=time.time() + LEASE + 1))
    left = ledger.open()
    assert all(each.begun for each in left), "after the leases only what may be billed is held"
    assert len(left) <= KILLED * THREADS
    money, calls = ledger.standings([BUDGET, CALLS])
    assert billed(tmp_path) <= money.counted.nano <= LIMIT, "never a cent above, and nothing that was sent is missing"
    assert money.held.nano == sum(each.bound.nano for each in left)
    assert calls.counted.calls <= (CALLS.limit.calls or 0)
    settled = money.counted.nano - money.held.nano
    for each in left:
        assert ledger.settle(each.id, Amount())
    assert ledger.standings([BUDGET])[0].counted.nano == settled <= billed(tmp_path), "only the dead are in between"
    ledger.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
