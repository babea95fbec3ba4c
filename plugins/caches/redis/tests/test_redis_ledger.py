"""Machines that share a ledger never exceed a budget together, whatever becomes of the server."""

from __future__ import annotations

import itertools
import os
import signal
import socketserver
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from rtfs_cache_redis.ledger import RedisLedger
from rtfs_cache_redis.link import LONGEST_PAUSE, address_of
from rtfs_cache_redis.plugin import RedisLedgerSettings, _make_ledger
from rtfs_framework.api import Account, Amount, BudgetClaim, LedgerError, LedgerSettings, Limit, PluginError
from rtfs_framework.testing import FakeClock

DAY = Account(budget="day", window="2026-11-29", limit=Limit(nano=100))
CLAIM = BudgetClaim(bound=Amount(10, 1, 1), lease=60.0)
_NUMBERS = itertools.count()
RACE = Account(budget="race", window="w", limit=Limit(nano=1_000))


@pytest.fixture
def ledger():
    """Return a function that makes a node's ledger; all are closed at the end."""
    made, own = [], f"l{os.getpid()}-{next(_NUMBERS)}"

    def make(server, prefix=None, timeout=5.0):
        prefix = prefix or own
        made.append(RedisLedger(address_of(server.url, None, timeout), prefix, FakeClock()))
        made[-1]._link._now = iter(range(0, 10**9, int(LONGEST_PAUSE) + 1)).__next__  # no pause lasts
        return made[-1]

    yield make
    for each in made:
        each.close()


def counted(ledger, account=DAY):
    return ledger.standings([account])[0].counted.nano


def test_three_processes_spend_exactly_what_a_budget_holds(server, ledger):
    prefix = f"race-{os.getpid()}"
    command = [sys.executable, str(Path(__file__).with_name("spender.py")), server.url, prefix]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    processes = [subprocess.Popen(command, **pipes) for _ in range(3)]
    try:
        for each in processes:
            assert each.stdout.readline() == "ready\n"
        for each in processes:
            each.stdin.write("go\n")
            each.stdin.flush()
        spent = [int(each.communicate(timeout=50)[0]) for each in processes]
    finally:
        for each in processes:
            each.kill()
            each.wait()
    total = counted(ledger(server, prefix), RACE)
    assert sum(spent) == total
    assert 990 < total <= 1_000, "never beyond it, and not stopped long before"


def test_while_the_server_is_lost_nothing_is_spent(own_server, ledger):
    server = own_server("--appendonly", "yes", "--appendfsync", "always")
    one = ledger(server, timeout=0.3)
    made = one.reserve(CLAIM, [DAY])
    assert one.begin(made, 30.0)
    server.kill()
    for use in (
        lambda: one.reserve(CLAIM, [DAY]),
        lambda: one.begin(made, 30.0),
        lambda: one.settle(made, None),
        lambda: one.standings([DAY]),
        one.open,
    ):
        with pytest.raises(LedgerError, match="cannot be reached"):
            use()
    server.start()
    assert counted(one) == 10, "what had begun counts in full"
    assert one.settle(made, Amount(3, 1, 1))
    assert counted(one) == 3


def test_a_frozen_server_is_refused_in_time(own_server, ledger):
    server = own_server()
    one = ledger(server, timeout=0.2)
    one.reserve(CLAIM, [DAY])
    server.signal(signal.SIGSTOP)
    try:
        with pytest.raises(LedgerError, match="does not answer in time"):
            one.reserve(CLAIM, [DAY])
    finally:
        server.signal(signal.SIGCONT)
    assert counted(ledger(server)) in {10, 20}, "what nobody heard of may have been reserved; it is never less"


def test_a_server_that_forgot_is_refused_by_all_who_know_better(own_server, ledger):
    server = own_server()
    one = ledger(server)
    one.settle(one.reserve(CLAIM, [DAY]), None)
    server.kill()
    server.start()
    for _ in range(2):
        with pytest.raises(LedgerError, match="lost what it had counted"):
            one.reserve(CLAIM, [DAY])
    assert counted(ledger(server)) == 0, "who starts again counts anew"
    with pytest.raises(LedgerError, match="lost what it had counted"):
        one.reserve(CLAIM, [DAY])


def test_a_restored_copy_is_refused_by_all_who_know_better(own_server, ledger):
    server = own_server("--dbfilename", "old.rdb")
    one = ledger(server)
    one.settle(one.reserve(CLAIM, [DAY]), None)
    with server.client() as client:
        client.save()
    one.settle(one.reserve(CLAIM, [DAY]), None)
    server.kill()
    server.start()
    with pytest.raises(LedgerError, match="lost what it had counted"):
        one.reserve(CLAIM, [DAY])


@pytest.mark.parametrize("name", ["state", "accounts", "held"])
def test_a_key_that_the_server_dropped_is_seen(server, ledger, name):
    one = ledger(server)
    one.begin(one.reserve(CLAIM, [DAY]), 30.0)
    with server.client() as client:
        (found,) = client.keys(f"{one._link._keys[0].partition('{')[0]}*{name}")
        client.delete(found)
    for node in (one, ledger(server)):
        with pytest.raises(LedgerError, match="lost what it had counted"):
            node.reserve(CLAIM, [DAY])


def test_old_windows_are_forgotten_and_others_kept(valkey, ledger):
    one = ledger(valkey)
    clock = one._clock
    runs = [Account(budget="runs", window=f"run {i}") for i in range(4_200)]
    for start in range(0, len(runs), 200):
        one.reserve(BudgetClaim(bound=Amount(1, 1, 1), lease=1.0), runs[start : start + 200])
    one.settle(one.reserve(CLAIM, [Account(budget="ever")]), None)
    clock.advance(2.0)
    assert one.open() == []
    clock.advance(63 * 86_400.0)
    with valkey.client() as client:
        client.hset(one._link._keys[0], "last", 511)
    one.reserve(CLAIM, [])
    assert one.accounts("runs") == []
    assert [each.counted.nano for each in one.accounts("ever")] == [10]


@pytest.mark.parametrize(
    ("at", "row"),
    [(3, "no JSON"), (3, '["a"]'), (3, '{"made": "x"}'), (2, "1 2"), (2, "a b c d e f g h i"), (1, "x y z 0 -")],
)
def test_rows_that_no_ledger_wrote_are_an_error_of_the_ledger(valkey, ledger, at, row):
    one = ledger(valkey)
    one.reserve(CLAIM, [DAY])
    with valkey.client() as client:
        name = one._link._keys[at]
        for field in client.hkeys(name):
            client.hset(name, field, row)
    with pytest.raises(LedgerError, match=r"cannot be used|choose another prefix"):
        [one.open(), one.accounts("day"), one.find(1)]


class Garbage:
    """A server that answers everything with the same bytes."""

    def __init__(self, answer):
        outer = self

        class Answers(socketserver.BaseRequestHandler):
            def handle(self):
                while self.request.recv(65_536):
                    self.request.sendall(answer)

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True

            def handle_error(self, *_):
                outer.broken = True

        self.server = Server(("127.0.0.1", 0), Answers)
        self.url = f"redis://127.0.0.1:{self.server.server_address[1]}/0"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,))

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.mark.parametrize(
    "answer",
    [b"$-1\r\n", b"*0\r\n", b"*-1\r\n", b":abc\r\n", b"*3\r\n:1\r\n:2\r\n:3\r\n", b"*1\r\n" * 5_000 + b":1\r\n",
     b"*3\r\n$1\r\na\r\n:1\r\n$8\r\nreserved\r\n", b"-ERR \x1b[2J boom\r\n", b"HTTP/1.1 400 Bad\r\n\r\n"],
    ids=range(9),
)  # fmt: skip
def test_what_no_ledger_answers_is_an_error_of_the_ledger_and_shows_no_control_characters(ledger, answer):
    with Garbage(answer) as garbage:
        one = ledger(garbage, timeout=1.0)
        for ask in (lambda: one.reserve(CLAIM, [DAY]), one.open, lambda: one.accounts("day"), lambda: one.find(1)):
            with pytest.raises(LedgerError) as error:
                ask()
            assert str(error.value).isprintable()
        for ask in (lambda: one.standings([DAY]), lambda: one.typical("", "", "")):
            with pytest.raises(LedgerError):
                ask()
        one.close()


@pytest.mark.parametrize(
    ("own", "says"), [({"url": "redis://u:hunter2@x/0"}, "password_env"), ({"password_env": "P"}, "P is not set")]
)
def test_what_cannot_work_is_refused(own, says):
    with pytest.raises(PluginError) as raised:
        _make_ledger(LedgerSettings(clock=FakeClock(), own=RedisLedgerSettings(**own)))
    assert says in str(raised.value)
    assert "hunter2" not in str(raised.value)
