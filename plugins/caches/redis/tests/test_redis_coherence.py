"""After an acknowledged invalidation no node gives the value out: however nodes are stopped, slow or late."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rtfs_cache_redis.link import steady
from rtfs_framework.testing.fakes import cache_key

LEASE = 0.05
ROUNDS = 8


class Reader:
    """A process that reads."""

    def __init__(self, url, prefix):
        command = [sys.executable, str(Path(__file__).with_name("reader.py")), url, prefix, str(LEASE)]
        command.append(cache_key(1).digest)
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def wait_for(self, word):
        for line in self.process.stdout:
            if line.strip() == word:
                return
        raise AssertionError(f"the reader ended before it saw {word}")

    def end(self):
        self.process.stdin.close()
        lines = self.process.stdout.read().splitlines()
        self.process.stdout.close()
        assert self.process.wait(30) == 0
        return json.loads(lines[-1])

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
            self.process.stdin.close()
            self.process.stdout.close()


@pytest.fixture
def readers(server, node):
    prefix = f"coherent-{os.getpid()}-{server.kind}"
    made = [Reader(server.url, prefix) for _ in range(2)]
    for each in made:
        each.wait_for("ready")
    yield node(server, prefix=prefix, lease=LEASE, now=steady, sleep=time.sleep), made
    for each in made:
        each.kill()


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="this system cannot stop processes")
def test_no_process_serves_what_was_invalidated_even_one_that_was_frozen_meanwhile(readers):
    writer, (awake, frozen) = readers
    acknowledged, chance = {}, random.Random(7)
    for i in range(ROUNDS):
        value = f"v{i}"
        writer.put(cache_key(1), value)
        for each in (awake, frozen):
            each.wait_for(value)
        time.sleep(chance.uniform(0, 0.02))  # wherever it is: between steps, or on its way to the server and back
        os.kill(frozen.process.pid, signal.SIGSTOP)
        assert writer.invalidate(cache_key(1))
        acknowledged[value] = steady()
        os.kill(frozen.process.pid, signal.SIGCONT)
        time.sleep(chance.uniform(0, 0.03))
    for each in (awake, frozen):
        told = each.end()
        assert set(told["last"]) == set(acknowledged)
        late = {value: told["last"][value] - at for value, at in acknowledged.items() if told["last"][value] >= at}
        assert not late, f"given out so many seconds after it was acknowledged: {late}"
        assert told["hits"] > told["misses"] / 100, "it did serve"


class Stopped:
    """A clock of one node that a test stops in the middle of its steps: it goes on, as CLOCK_BOOTTIME does."""

    def __init__(self):
        self.at = 1_000.0
        self.calls = 0
        self.jump_at = None

    def __call__(self):
        self.calls += 1
        if self.calls == self.jump_at:
            self.at += 60.0
            if self.then is not None:
                self.then()
        return self.at

    def stop(self, at_call, then=None):
        self.calls, self.jump_at, self.then = 0, at_call, then


@pytest.mark.parametrize("stopped_at", range(1, 6))
@pytest.mark.parametrize("remembers", [False, True], ids=["asks", "remembers"])
def test_a_node_that_is_stopped_between_any_two_steps_asks_again(valkey, node, stopped_at, remembers):
    now = Stopped()
    reader, writer = node(valkey, now=now, lease=1.0), node(valkey, lease=1.0)
    writer.put(cache_key(1), "old")
    if remembers:
        assert reader.get(cache_key(1)).value == "old"
    now.stop(stopped_at, lambda: writer.invalidate(cache_key(1)))
    found = reader.get(cache_key(1))
    reached = now.calls >= stopped_at
    assert found is None if reached else found.value == "old"
    assert not (stopped_at <= 1 and not reached), "a get looks at its clock"


def test_within_its_lease_a_node_does_not_ask_and_after_it_only_for_what_is_new(server, node):
    now = Stopped()
    reader, writer = node(server, now=now, lease=5.0), node(server)
    writer.put(cache_key(1), "x" * 10_000)
    assert reader.get(cache_key(1)).value == "x" * 10_000
    with server.client() as client:
        before = client.info("stats")
        for _ in range(50):
            assert reader.get(cache_key(1)) is not None
        within = client.info("stats")
        now.at += 5.0
        assert reader.get(cache_key(1)) is not None
        after = client.info("stats")
    assert within["total_commands_processed"] - before["total_commands_processed"] <= 1
    assert after["total_net_output_bytes"] - within["total_net_output_bytes"] < 9_000, "the value was sent again"
    assert reader.stats().hits == 52


def test_an_invalidation_waits_for_the_longest_lease_that_was_given(server, node):
    slept = []
    patient, hasty = node(server, lease=9.0), node(server, lease=0.5, sleep=slept.append)
    hasty.put(cache_key(1), "x")
    assert patient.get(cache_key(1)) is not None
    hasty.invalidate(cache_key(1))
    hasty.clear()
    assert slept == pytest.approx([9.0 * 1.02] * 2, abs=0.01)
    assert hasty.invalidate_all([cache_key(i) for i in range(300)]) == 0
    assert len(slept) == 5, "once for each page, not for each key"


def test_what_was_made_before_an_invalidation_is_not_put_after_it(server, node):
    slow, other = node(server), node(server)
    assert slow.get(cache_key(1)) is None
    assert slow.get(cache_key(2)) is None
    other.invalidate(cache_key(1))
    slow.put(cache_key(1), "made of what was known before")
    slow.put(cache_key(2), "as good as ever")
    assert other.get(cache_key(1)) is None
    assert other.get(cache_key(2)).value == "as good as ever"
    slow.put(cache_key(1), "made anew")
    assert other.get(cache_key(1)).value == "made anew"


def test_of_two_that_make_one_value_neither_puts_what_is_older(valkey, node):
    both, other = node(valkey), node(valkey)
    both.get(cache_key(1))
    other.invalidate(cache_key(1))
    both.get(cache_key(1))
    both.put(cache_key(1), "of the second, or of the first: nobody knows")
    both.put(cache_key(1), "of the other")
    assert other.get(cache_key(1)) is None
    both.put(cache_key(1), "new")
    assert other.get(cache_key(1)).value == "new"


@pytest.mark.parametrize("how", ["clear", "many", "lost"])
def test_what_the_server_no_longer_remembers_of_invalidations_counts_as_invalidated(valkey, node, how):
    slow, other = node(valkey), node(valkey)
    slow.get(cache_key(1))
    if how == "clear":
        other.clear()
    else:
        other.invalidate_all([cache_key(1)] if how == "lost" else [cache_key(i) for i in range(1, 4_200)])
    if how == "lost":
        with valkey.client() as client:
            client.delete(other._terms.base + "gone")
    slow.put(cache_key(1), "old")
    assert other.get(cache_key(1)) is None


def test_a_layer_whose_state_the_server_dropped_begins_anew(server, node):
    layer, other = node(server, lease=0.01), node(server)
    layer.put(cache_key(1), "x")
    layer.get(cache_key(1))
    with server.client() as client:
        client.delete(layer._terms.base + "state")
    other.get(cache_key(2))
    layer._now.at += 1
    assert layer.get(cache_key(1)) is None
    layer.put(cache_key(1), "y")
    assert other.get(cache_key(1)).value == "y"
