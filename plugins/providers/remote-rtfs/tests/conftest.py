"""A host that answers as it is told, for what no good host ever does; real ones are `rtfs_framework.testing.served`."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import socket
import sqlite3
import subprocess
import sys
import threading
from contextlib import ExitStack, closing, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from rtfs_framework.api import AskedBy, ProviderSettings, Travel, Travelling
from rtfs_framework.testing.fakes import inference_request
from rtfs_provider_remote_rtfs.plugin import RemoteSettings, rtfs_providers

TOKEN = "rtfs-token-that-nobody-may-see"
PROGRAM = "(defn f [x] x)\n"


SERVING = """
import sys, time
real, off = time.time, float(sys.argv.pop(1))
time.time = lambda: real() + off
from rtfs_framework.cli.main import main
sys.exit(main())
"""
"""A host whose clock is wrong by some seconds: its wall clock, as on a machine that is set so."""


class Scripted:
    """A server on a loopback port: `then(path, headers, body)` gives (status, headers, body), or None to hang up."""

    def __init__(self):
        self.then = lambda *_: (200, {}, b"{}")
        self.seen = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                self._serve(b"")

            def do_POST(self):
                self._serve(self.rfile.read(int(self.headers.get("content-length", 0))))

            def _serve(self, body):
                outer.seen.append((self.path, dict(self.headers), body))
                found = outer.then(self.path, self.headers, body)
                if found is None:
                    self.close_connection = True
                    return
                status, headers, text = found
                text = text if isinstance(text, bytes) else json.dumps(text).encode()
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                if "Content-Length" not in headers:
                    self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)
                if "Content-Length" in headers:  # it says more than there is: the connection breaks mid-way
                    self.close_connection = True

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    @contextmanager
    def running(self):
        thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            thread.join()
            self._server.server_close()


@pytest.fixture
def scripted():
    """Return a server that answers as it is told."""
    with Scripted().running() as server:
        yield server


@pytest.fixture
def provider_at():
    """Return a function that makes a provider for an address."""
    (entry,) = rtfs_providers()

    def make(url, *, token=TOKEN, directory=None, **own):
        settings = RemoteSettings(endpoint=url, token_env="NORTH_TOKEN", **own)
        environ = {} if token is None else {"NORTH_TOKEN": token}
        return entry.factory(ProviderSettings(id="north", own=settings, environ=environ, directory=directory))

    return make


def travelling(*args, source=PROGRAM, entry="f", **fields):
    """Return a request that brings a program along."""
    travel = Travel(
        program=Travelling(name="f", source=source, entry=entry),
        args=args,
        asked_by=AskedBy(run="ab", head="1:cd", call="0:0"),
        **fields,
    )
    return inference_request(*args, name="f", travel=travel, timeout=5.0)


@pytest.fixture
def request_of():
    """Return what makes a request that brings a program along."""
    return travelling


def free_port():
    """Return a port that is free and stays so while a host is down: systems give none of these out by themselves."""
    while True:
        port = 15_000 + secrets.randbelow(15_000)
        with socket.socket() as tried, suppress(OSError):
            tried.bind(("127.0.0.1", port))
            return port


class HostProcess:
    """`rtfs serve` as a process, over a home of its own; it may be killed, and started again at the same address."""

    def __init__(self, name, home, environ, hours):
        self.name, self.home, self.token = name, home, secrets.token_urlsafe(24)
        self._environ, self._hours = environ, hours
        self._port = free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        self._process = None

    def configure(self, text):
        """Write the configuration; the text goes on with `[serve]`."""
        self.home.mkdir()
        digest = hashlib.sha256(self.token.encode()).hexdigest()
        serve = f'[serve]\nid = "{self.name}"\nlame_duck = 0\n{text}\n[serve.tokens.t]\nsha256 = "{digest}"\n'
        (self.home / "serve.toml").write_text(serve, encoding="utf-8")

    def launch(self):
        """Start the process, without waiting for it."""
        options = ["serve", "--config", str(self.home / "serve.toml"), "--port", str(self._port), "--json"]
        with (self.home / "log").open("a") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-c", SERVING, str(self._hours * 3600), *options],
                env={**os.environ, **self._environ, "RTFS_HOME": str(self.home)},
                cwd=self.home,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )

    def wait(self):
        """Wait until it serves."""
        line = self._process.stdout.readline()
        assert line, (self.home / "log").read_text()
        assert json.loads(line)["url"] == self.url

    def start(self):
        """Start it and wait until it serves."""
        self.launch()
        self.wait()

    def kill(self):
        """End it as the system does: it cannot do anything about it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process.stdout.close()

    def runs(self):
        """Return what its journal says of each run as it began."""
        journal = self.home / "journal.sqlite"
        if not journal.exists():
            return []
        with closing(sqlite3.connect(journal)) as db, db:
            rows = db.execute("SELECT body FROM log WHERE what = 'run' ORDER BY position").fetchall()
        return [json.loads(body) for (body,) in rows]


@pytest.fixture
def start(tmp_path):
    """Return a function that starts hosts at once; each is a text, or a function of all hosts that makes one."""
    with ExitStack() as running:

        def start_(*, environ=None, hours=None, **texts):
            hosts = [HostProcess(name, tmp_path / name, {}, (hours or {}).get(name, 0)) for name in texts]
            tokens = {f"{host.name.upper()}_TOKEN": host.token for host in hosts}
            for host, text in zip(hosts, texts.values(), strict=True):
                host._environ.update({**tokens, **(environ or {})})
                host.configure(text if isinstance(text, str) else text(*hosts))
                running.callback(host.kill)
                host.launch()
            for host in hosts:
                host.wait()
            return hosts

        yield start_
