"""A real server of files on loopback, which hands out what a store in memory holds, and misbehaves as told."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

import pytest

from rtfs_framework.api import StoreSettings
from rtfs_framework.testing.memory_store import MemoryStore
from rtfs_store_http.plugin import HttpSettings, rtfs_stores


class Server:
    """Answers GET and HEAD below `/programs`.

    `script` holds what the next requests get instead: status and headers, or a function that is given the handler.
    """

    def __init__(self, kept=None):
        self.kept = MemoryStore() if kept is None else kept
        self.script = []
        self.always = None
        self.seen = []
        self.released = threading.Event()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_port}/programs"
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def close(self):
        self.released.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def _handler(server):  # noqa: N805 - `self` is the handler's
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                server.seen.append((self.command, self.path, dict(self.headers.items())))
                told = server.script.pop(0) if server.script else server.always
                if callable(told):
                    told(self)
                elif told is not None:
                    status, headers = told
                    self.answer(status, b"words of a server", headers)
                else:
                    self.hand_out()

            do_HEAD = do_GET  # noqa: N815 - what the library calls

            def hand_out(self):
                path = unquote(self.path)
                data = server.kept.file(path.removeprefix("/programs/")) if path.startswith("/programs/") else None
                self.answer(404, b"") if data is None else self.answer(200, data)

            def answer(self, status, data, headers=()):
                self.send_response(status)
                for name, value in {"Content-Length": str(len(data)), **dict(headers)}.items():
                    self.send_header(name, value)
                self.end_headers()
                if self.command == "GET":
                    self.wfile.write(data)

            def log_message(self, *_):
                pass

        return Handler


@pytest.fixture
def serving():
    servers = []

    def start(kept=None):
        servers.append(Server(kept))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def made():
    stores = []

    def make(url, environ=None, **own):
        (entry,) = rtfs_stores()
        settings = StoreSettings(name="mirror", own=HttpSettings(url=url, **own), environ=(environ or {}).get)
        stores.append(entry.factory(settings))
        return stores[-1]

    yield make
    for store in stores:
        store.close()
