"""A host that answers as it is told, for what no good host ever does; real ones are `rtfs_framework.testing.served`."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from rtfs_framework.api import AskedBy, ProviderSettings, Travel, Travelling
from rtfs_framework.testing.fakes import inference_request
from rtfs_provider_remote_rtfs.plugin import RemoteSettings, rtfs_providers

TOKEN = "rtfs-token-that-nobody-may-see"
PROGRAM = "(defn f [x] x)\n"


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
