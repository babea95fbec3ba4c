"""Whatever kills a process that writes: the file opens, nothing in it is spoilt, and nothing that was put is lost."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time

import pytest

from rtfs_cache_l2.layer import Keeping, ReplyCache
from rtfs_cache_l2.rows import Rows
from rtfs_cache_l2.store import FILE, Store
from rtfs_framework.orchestrator.remembering.keyring import Keyring
from rtfs_framework.testing import FakeClock
from rtfs_framework.testing.fakes import cache_key

pytestmark = pytest.mark.skipif(os.name != "posix", reason="processes are killed by POSIX signals")

WRITER = """
import sys
from rtfs_cache_l2.layer import Keeping, ReplyCache
from rtfs_cache_l2.rows import Rows
from rtfs_cache_l2.store import Store
from rtfs_framework.orchestrator.remembering.keyring import Keyring
from rtfs_framework.testing import FakeClock
from rtfs_framework.testing.fakes import cache_key
folder, first = sys.argv[1], int(sys.argv[2])
seal = Keyring(lambda: folder).seal("cache")
layer = ReplyCache(Store(folder, Rows(seal)), Keeping(capacity=100_000), clock=FakeClock())
print("open", flush=True)
for i in range(first, first + 1_000):
    layer.put(cache_key(i), f"reply {i} " * (1 + i % 700))
    sys.stdout.write(f"{i}\\n")
    sys.stdout.flush()
"""


def killed(folder, first, after, least=0):
    """Write from a number on in a process that is killed, when it has put `least`; return what it says that it put."""
    command = [sys.executable, "-c", WRITER, str(folder), str(first)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout.readline() == "open\n"
        said = [writer.stdout.readline().strip() for _ in range(least)]
        time.sleep(after)
        writer.send_signal(signal.SIGKILL)
        said += writer.stdout.read().splitlines()
    return [int(each) for each in said if each.isdigit()]


def check(folder, put):
    said = []
    seal = Keyring(lambda: str(folder)).seal("cache")
    layer = ReplyCache(Store(str(folder), Rows(seal, said.append)), Keeping(capacity=100_000), clock=FakeClock())
    for i in put:
        assert layer.get(cache_key(i)).value == f"reply {i} " * (1 + i % 700)
    assert layer.stats().size >= len(put)
    assert said == []
    layer.close()
    db = sqlite3.connect(folder / FILE)
    assert db.execute("pragma integrity_check").fetchone() == ("ok",)
    db.close()


def test_a_killed_writer_loses_nothing_that_it_put(tmp_path):
    put = killed(tmp_path, 0, 0.05, least=30)
    assert len(put) >= 30
    check(tmp_path, put)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_killed_at_random_times_again_and_again(tmp_path):
    draw, put = random.Random(14), []
    for round_ in range(20):
        put += killed(tmp_path, round_ * 1_000, draw.uniform(0.0, 0.4))
        check(tmp_path, put)
    assert len(put) > 1_000
