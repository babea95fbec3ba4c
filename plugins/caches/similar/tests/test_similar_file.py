"""The file: what was put survives a kill, what others wrote there is not served, and nothing crosses partitions."""

from __future__ import annotations

import random
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

from rtfs_framework.api import PluginError, Served
from rtfs_framework.testing.effort import effort

WRITER = """
import sys
from rtfs_cache_similar.deciding import Decider
from rtfs_cache_similar.index.exact import ExactIndex
from rtfs_cache_similar.layer import SimilarCache
from rtfs_cache_similar.store import Bounds, Store
from rtfs_framework.api import CacheKey, SimilarQuestion
from rtfs_framework.testing import FakeClock

bounds = Bounds(10_000, 1 << 30)
layer = SimilarCache(Store(sys.argv[1]), Decider(), ExactIndex, bounds=bounds, ttl=None, clock=FakeClock())
for number in range(1_000):
    key = CacheKey("reply", f"{number:064x}")
    asked = SimilarQuestion(partition=CacheKey("p", "p"), exact=key, text=f"t{number}", vector=(1.0, number))
    layer.put(asked, f"value {number}")
    print(number, flush=True)
"""


class Seal:
    """Seals by a checksum of purpose and data: enough to see that the layer asks."""

    def close(self, purpose, data):
        return f"{hash((purpose, data)):+020d}".encode() + data

    def open(self, purpose, sealed):
        data = bytes(sealed[20:])
        if f"{hash((purpose, data)):+020d}".encode() != bytes(sealed[:20]):
            raise ValueError("not sealed for this")
        return memoryview(data)


def killed(folder, after):
    """Start a process that puts, kill it after so many puts, and return the numbers that it acknowledged."""
    with subprocess.Popen([sys.executable, "-c", WRITER, str(folder)], stdout=subprocess.PIPE, text=True) as writer:
        lines = []
        for line in writer.stdout:
            lines.append(line)
            if len(lines) == after:
                writer.send_signal(signal.SIGKILL)
                break
        lines += writer.stdout.readlines()
    return [int(line) for line in lines if line.endswith("\n")]


def lost(opened, folder, after):
    """Return how many acknowledged puts are not there after a kill, and whether all that is there is sound."""
    told = killed(folder, after)
    layer = opened(folder=folder)
    found = {item.key.digest: item.record.value for item in layer.scan()}
    missing = [number for number in told if found.get(f"{number:064x}") != f"value {number}"]
    sound = len(told) >= after and len(found) - len(told) in (0, 1) and layer.stats().errors == 0
    layer.close()
    return len(missing), sound


def test_what_was_put_survives_a_kill(opened, tmp_path):
    assert lost(opened, tmp_path, 200) == (0, True)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_what_was_put_survives_a_kill_at_any_moment(opened, tmp_path):
    chance = random.Random(3)
    found = [lost(opened, tmp_path / str(turn), chance.randrange(1, 900)) for turn in range(20)]
    assert found == [(0, True)] * 20


@pytest.mark.parametrize(
    "statement",
    [
        "update entries set partition = 'q'",
        "update entries set sealed = cast(replace(sealed, 'mine', 'evil') as blob)",
        "update entries set expires_at = 9e9",
        "update entries set sealed = 7",
    ],
    ids=["moved", "changed", "lengthened", "no bytes"],
)
def test_what_somebody_else_wrote_is_told_and_never_served(opened, tmp_path, question, statement):
    layer = opened(seal=Seal())
    layer.put(question("a/1", "p"), "mine")
    layer.close()
    with closing(sqlite3.connect(tmp_path / "similar.sqlite")) as db, db:
        assert db.execute(statement).rowcount == 1
    told = []
    layer = opened(seal=Seal(), report=told.append)
    for partition in "pq":
        assert layer.ask(question("a/1", partition)).served is Served.MISS
    assert "is not what was kept there: it was changed, moved or planted" in told[0]
    assert layer.stats().errors == 1


def test_evidence_that_somebody_else_wrote_is_not_believed(opened, tmp_path, question, trusting):
    layer = opened(seal=Seal())
    layer.put(question("a/1"), "a")
    layer.judged(question("a/2"), layer.ask(question("a/2")), same=True)
    layer.close()
    with closing(sqlite3.connect(tmp_path / "similar.sqlite")) as db, db:
        assert db.execute("update evidence set sealed = cast('all was right' as blob)").rowcount == 1
    decider = trusting()
    opened(seal=Seal(), decider=decider)
    assert decider.loaded == b""


@pytest.mark.parametrize("content", [b"no database at all, but long enough to be one", b""], ids=["text", "nothing"])
def test_a_file_that_is_none_of_ours_is_told_with_a_way_out(opened, tmp_path, content):
    (tmp_path / "similar.sqlite").write_bytes(content)
    if not content:
        assert list(opened().scan()) == []
        return
    with pytest.raises(PluginError, match=r"similar\.sqlite cannot be used") as caught:
        opened()
    assert "help: delete it" in str(caught.value)


def cross(opened, question, steps):
    """Try operations of two tenants at random, with expiries, evictions and restarts; return answers of the other."""
    chance, wrong, hits, layer = random.Random(9), 0, 0, opened(capacity=120, ttl=None)
    for _ in range(steps):
        tenant, text = chance.choice("ab"), f"t{chance.randrange(60)}/{chance.randrange(4)}"
        asked, act = question(text, f"tenant {tenant}"), chance.random()
        if act < 0.45:
            verdict = layer.ask(asked)
            if verdict.served is Served.HIT:
                hits += 1
                wrong += not verdict.record.value.startswith(tenant)
        elif act < 0.9:
            layer.put(asked, f"{tenant}: {text}", ttl=chance.choice((None, 0.001, 1_000)))
        elif act < 0.95:
            layer.wrong("", asked.exact.digest)
        elif act < 0.999:
            layer.invalidate(asked.exact)
        else:
            layer.close()
            layer = opened(capacity=120, ttl=None)
    assert hits > steps / 100
    return wrong


@pytest.mark.timeout(300)
def test_two_tenants_never_get_each_others_answers(opened, question):
    assert cross(opened, question, effort(2_000)) == 0


@pytest.mark.slow
@pytest.mark.timeout(7_200)
def test_two_tenants_never_get_each_others_answers_in_a_million_operations(opened, question):
    assert cross(opened, question, 1_000_000) == 0


def test_a_hundred_texts_that_another_tenant_put_near_a_target_are_never_served(opened, question, trusting):
    layer = opened(decider=trusting(enough=0.5))
    for number in range(100):
        layer.put(question(f"target/{number}", "poisoner"), "poison")
    for number in range(100):
        assert layer.ask(question(f"target/{number}", "victim")).served is Served.MISS
