"""Sessions in four processes, sixteen calls at once in each, some killed: the bill stays within the budget.

The server is real and is the truth: it bills each request that reaches it, whether or not anybody is left to hear it.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path
from threading import Lock

import pytest

from rtfs_framework.orchestrator.concurrency.clock import SystemClock
from rtfs_framework.orchestrator.performing.budgets.amounts import Amount
from rtfs_framework.orchestrator.performing.budgets.sqlite_ledger import SqliteLedger
from rtfs_framework.testing.clock import FakeClock
from rtfs_framework.testing.openai_server import OpenAIServer, Received, Say

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900), pytest.mark.needs("rtfs-provider-openai")]

PROCESSES, KILLED, LEASE = 4, 5, 5
PROGRAM = """
(defn ^:delegation :remote "big" answer "Answer." [text :string] "own body")
(defn main [who] (count (remove nil? (pmap (fn [n] (try (answer (str who " " n)) (catch BudgetExhausted e nil)))
                                            (range 1500)))))
"""
CHILD = """
import sys
from rtfs_framework.lang.source import Source
from rtfs_framework.orchestrator.session import Session
with Session.open(config_path="own.toml", journal=False) as session:
    print(session.run(Source("spend.rtfs", open("spend.rtfs").read()), (sys.argv[1],)).value)
"""
BUDGET = Decimal("0.30")
INPUT, OUTPUT = 2, 8
MOST = 40


class Till:
    """Answers, and bills what it answers."""

    def __init__(self) -> None:
        self.billed = Decimal(0)
        self.requests = 0
        self._dice, self._lock = random.Random(7), Lock()

    def __call__(self, received: Received) -> Say:
        assert received.body["max_tokens"] == MOST
        with self._lock:
            usage = self._dice.randrange(20, len(received.prompt)), self._dice.randrange(1, MOST + 1)
            self.billed += Decimal(usage[0] * INPUT + usage[1] * OUTPUT) / 10**6
            self.requests += 1
            pause = self._dice.random() * 0.02
        time.sleep(pause)
        return Say("yes", usage=usage)


def start(folder: Path, number: int) -> subprocess.Popen[bytes]:
    environ = {**os.environ, "RTFS_HOME": str(folder)}
    command = [sys.executable, "-c", CHILD, f"process {number}"]
    return subprocess.Popen(command, cwd=folder, env=environ, stdout=subprocess.DEVNULL)


def test_the_bill_stays_within_the_budget(tmp_path: Path) -> None:
    till = Till()
    (tmp_path / "spend.rtfs").write_text(PROGRAM)
    with OpenAIServer(then=till) as server:
        (tmp_path / "own.toml").write_text(
            f'[delegation]\nparallel = 16\n[delegation.remote_providers.big]\nprovider = "openai"\n'
            f'endpoint = "{server.url}"\nmodel = "m"\ninput_cost = {INPUT}\noutput_cost = {OUTPUT}\n'
            f'[budgets.all]\nusd = {BUDGET}\nper = "ever"\n[ledger]\nmax_tokens = {MOST}\nlease = {LEASE}\n'
        )
        running = [start(tmp_path, number) for number in range(PROCESSES)]
        for number in range(PROCESSES, PROCESSES + KILLED):
            before = till.requests
            while till.requests < before + 60 and running[0].poll() is None:
                time.sleep(0.01)
            running[0].kill()  # on POSIX: kill -9
            running[0].wait()
            running = [*running[1:], start(tmp_path, number)]
        assert [each.wait(timeout=600) for each in running] == [0] * PROCESSES
    assert till.requests > 60 * KILLED
    path = tmp_path / "ledger.sqlite"
    ledger = SqliteLedger(path, FakeClock(wall=SystemClock().now() + LEASE + 1))
    (account,) = ledger.accounts("all")
    left, nano = ledger.open(), int(till.billed * 10**9)
    assert account.counted.nano > int(BUDGET * 10**9) * 9 // 10, "it was used up"
    assert nano <= account.counted.nano <= int(BUDGET * 10**9), "never a cent above"
    assert all(each.begun for each in left), "nothing is leaked: what is held may have been billed"
    assert len(left) <= KILLED * 16
    assert account.held.nano == sum(each.bound.nano for each in left)
    for each in left:
        ledger.say(each.id, Amount())
    (account,) = ledger.accounts("all")
    assert account.counted.nano <= nano, "and what is settled was billed"
    ledger.close()
