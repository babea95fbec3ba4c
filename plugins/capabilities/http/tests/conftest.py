"""Real servers on loopback, each at an address of its own, and names that lead to them as a test says."""

from __future__ import annotations

import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import anyio
import pytest

from rtfs_capability_http.plugin import HttpGrant
from rtfs_capability_http.requests import HttpSet
from rtfs_framework.api import CapabilityGrant, CapabilityRequest, CapabilitySetSettings


class Server:
    """Answers every request by what `script` holds for its path, else by 200 and "fine"; notes what it sees."""

    def __init__(self, address, context=None):
        self.script, self.seen = {}, []
        self._http = ThreadingHTTPServer((address, 0), self._handler())
        self._http.daemon_threads = True
        self._http.handle_error = lambda *_: None
        self.port = self._http.server_port
        if context is not None:
            self._http.socket = context.wrap_socket(self._http.socket, server_side=True)
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def close(self):
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def _handler(server):  # noqa: N805 - `self` is the handler's
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def respond(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                server.seen.append((self.command, self.path, list(self.headers.items()), body))
                told = server.script.get(self.path.partition("?")[0], (200, {}, b"fine"))
                told(self) if callable(told) else self.answer(*told)

            do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = respond  # noqa: N815 - the library's

            def answer(self, status, headers, data):
                self.send_response(status)
                given = headers if isinstance(headers, list) else list(headers.items())
                for name, value in [("Content-Length", str(len(data))), *given]:
                    self.send_header(name, value)
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(data)

            def log_message(self, *_):
                pass

        return Handler


class Names:
    """A resolver: each name's answers in turn, the last one again and again."""

    def __init__(self):
        self.answers, self.asked = {}, []

    async def __call__(self, host, port):
        self.asked.append((host, port))
        found = self.answers.get(host)
        if found is None:
            raise OSError("no such name")
        return found.pop(0) if len(found) > 1 else found[0]


class Web:
    """Good and evil: one granted server, one at another address, one at another port of the granted address."""

    def __init__(self):
        self.good, self.evil, self.beside = Server("127.0.0.1"), Server("127.0.0.2"), Server("127.0.0.1")
        self.names, self.environ = Names(), {}
        self.set = HttpSet(CapabilitySetSettings(environ=self.environ.get), self.names)
        self.fetch_entry, self.send_entry = self.set.entries()

    def begin(self):
        for server in (self.good, self.evil, self.beside):
            server.script.clear()
            server.seen.clear()
        self.environ.clear()
        self.names.asked.clear()
        self.names.answers = {"good.example": [["127.0.0.1"]], "evil.example": [["127.0.0.2"]]}

    def close(self):
        for server in (self.good, self.evil, self.beside):
            server.close()

    @property
    def untouched(self):
        return self.evil.seen == [] and self.beside.seen == []

    def placed(self, text):
        ports = {"GOOD": self.good.port, "EVIL": self.evil.port, "BESIDE": self.beside.port}
        for word, port in ports.items():
            text = text.replace(f"{{{word}}}", str(port))
        return text

    def grant(self, **own):
        own.setdefault("hosts", (f"good.example:{self.good.port}",))
        own.setdefault("schemes", ("http",))
        own.setdefault("private", ("127.0.0.1",))
        return CapabilityGrant(HttpGrant(**own))

    def call(self, argument, *grants, entry=None, key="", deadline=20.0):
        entry = entry or self.fetch_entry
        request = CapabilityRequest(entry.id, (argument,), grants=grants or (self.grant(),), key=key, deadline=deadline)
        return anyio.run(entry.handler, request)

    def send(self, argument, *grants, **more):
        return self.call(argument, *grants, entry=self.send_entry, **more)


@pytest.fixture(scope="session")
def _web():
    try:
        made = Web()
    except OSError as error:  # macOS has one address of loopback alone
        pytest.skip(f"this machine cannot serve at 127.0.0.2: {error}")
    yield made
    made.close()


@pytest.fixture
def web(_web):
    _web.begin()
    return _web


@pytest.fixture
def secure():
    """A server with a certificate for good.example, and who signed it."""
    trustme = pytest.importorskip("trustme")
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("good.example").configure_cert(context)
    server = Server("127.0.0.1", context)
    yield server, authority
    server.close()
