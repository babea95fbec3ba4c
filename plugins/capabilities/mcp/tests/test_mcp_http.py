"""Servers by streamable HTTP on loopback, among them ones that mean harm."""

from __future__ import annotations

import gzip
import json
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import anyio
import httpx2
import pytest

from rtfs_capability_mcp import http
from rtfs_capability_mcp.gate import Gate
from rtfs_framework.api import CapabilityError, read_value, write

TEXT = {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}
OUT = {"type": "object", "properties": {"length": {"type": "integer"}}, "required": ["length"]}
TOOLS = [
    {"name": "echo", "description": "Says it again.", "inputSchema": TEXT, "annotations": {"readOnlyHint": True}},
    {"name": "length", "description": "Counts.", "inputSchema": TEXT, "outputSchema": OUT},
]
INFO = {"protocolVersion": "2025-11-25", "capabilities": {"tools": {}}, "serverInfo": {"name": "h", "version": "1"}}


PLAIN = {
    "strict": {"body": b"", "status": 401},
    "bomb": {"body": gzip.compress(b" " * 10_000_000, 1), "encoding": "gzip"},
    "malformed": {"body": b'{"jsonrpc": "2.0", \x1b[2J'},
    "page": {"body": b"<html>sign in</html>", "kind": "text/html"},
}
STREAMS = {
    "endless": (b'data: {"jsonrpc":"2.0","method":"notifications/message","params":{}}\n\n', 100_000),
    "reconnecting": (b"id: 1\nretry: 0\ndata:\n\n", 1),
    "begging": (b'data: {"jsonrpc":"2.0","id":"a","method":"roots/list","params":{}}\n\n', 200),
}


SAYS = b'data: {"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"x"}}\n\n'
TOLD = {"telling": (SAYS, 2), "flooding": (b": nothing\n" * 1_000, 2_000), "babbling": (SAYS, 20_000)}
"""What is told by a stream of its own (GET)."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.server.seen.append(("GET", dict(self.headers)))
        if self.server.how in TOLD:
            self.stream(*TOLD[self.server.how])
            self.server.stop.wait(30 if self.server.how == "telling" else 0)
        else:
            self.send_error(405)

    def do_DELETE(self):
        self.server.seen.append(("DELETE", dict(self.headers)))
        self.reply(b"", status=200)

    def do_POST(self):
        heard = json.loads(self.rfile.read(int(self.headers["content-length"])))
        method, id_ = heard.get("method"), heard.get("id")
        self.server.seen.append((method, dict(self.headers)))
        if id_ is None or method is None:
            self.reply(b"", status=202)
        elif method == "initialize":
            self.answer(id_, INFO, session="one")
        elif method == "tools/list":
            self.answer(id_, {"tools": TOOLS})
        else:
            self.called(id_, heard["params"]["arguments"]["text"])

    def called(self, id_, text):
        how = self.server.how
        if how in PLAIN:
            self.reply(**PLAIN[how])
        elif how == "redirecting":
            self.reply(b"", status=307, location=f"http://127.0.0.2:{self.server.server_port}/mcp")
        elif how == "quoting":
            words = {"type": "text", "text": f"no: {self.headers['authorization']}"}
            self.answer(id_, {"content": [words], "isError": True})
        elif how == "huge":
            self.answer(id_, {"content": [{"type": "text", "text": "x" * 1_000_000}]})
        elif how == "forgetful" and not self.server.forgot:
            self.server.forgot = True
            self.reply(b"", status=404)
        elif how in STREAMS:
            self.stream(*STREAMS[how])
        elif how == "silent":
            self.server.stop.wait(30)
            self.close_connection = True
        else:
            self.answer(id_, {"content": [{"type": "text", "text": text}]})

    def stream(self, event, times):
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.end_headers()
        self.close_connection = True
        try:
            for _ in range(times):
                self.wfile.write(event)
        except OSError:
            pass

    def answer(self, id_, result, **more):
        self.reply(json.dumps({"jsonrpc": "2.0", "id": id_, "result": result}).encode(), **more)

    def reply(self, body, *, status=200, kind="application/json", session=None, location=None, encoding=None):
        try:
            self.send_response(status)
            names = {"content-type": kind, "content-length": str(len(body)), "mcp-session-id": session}
            for name, value in {**names, "location": location, "content-encoding": encoding}.items():
                if value is not None:
                    self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)
        except OSError:
            self.close_connection = True


@pytest.fixture
def serve(world):
    """Return what starts a server that behaves so, and gives its entries."""
    servers = []

    def start(how, **settings):
        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        server.how, server.seen, server.forgot, server.stop = how, [], False, threading.Event()
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        servers.append(server)
        given = {"most_bytes": 100_000, "timeout": 5.0, **settings}
        return server, world.set(url=f"http://127.0.0.1:{server.server_port}/mcp", **given)

    yield start
    world.close()
    for server in servers:
        server.stop.set()
        server.shutdown()
        server.server_close()


def test_a_tool_is_called_with_the_token_and_the_session_ended(serve, world):
    server, entries = serve("good", token_env="SECRET")
    assert world.call(entries["echo"], "hi") == "hi"
    world.close()
    seen = [{name.lower(): value for name, value in headers.items()} for _, headers in server.seen]
    assert {each["authorization"] for each in seen} == {"Bearer hunter2-hunter2"}
    assert {each["accept-encoding"] for each in seen} == {"identity"}
    assert server.seen[-1][0] == "DELETE"
    assert "GET" not in [method for method, _ in server.seen]


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ("huge", "more than 100,000 bytes"),
        ("bomb", "compressed"),
        ("malformed", "Failed to parse"),
        ("page", "Unexpected content type"),
        ("endless", "without a response"),
        ("reconnecting", "reconnection attempts were exhausted"),
        ("begging", "asked more than 100 times"),
        ("redirecting", "not followed"),
        ("strict", r"refuses who asks \(status 401\)"),
    ],
)
def test_a_server_that_means_harm_costs_one_call(serve, world, how, says):
    server, entries = serve(how)
    with pytest.raises(CapabilityError, match=says) as raised:
        world.call(entries["echo"], "hi")
    assert "\x1b" not in str(raised.value)
    assert "GET" not in [method for method, _ in server.seen]


def test_a_token_that_a_server_quotes_is_struck_out(serve, world):
    _, entries = serve("quoting", token_env="SECRET")
    with pytest.raises(CapabilityError, match=r"failed: no: Bearer \[secret\]"):
        world.call(entries["echo"], "hi")


def test_a_server_that_does_not_answer_costs_no_more_than_the_time_of_the_call(serve, world):
    _, entries = serve("silent", timeout=0.3)
    with pytest.raises(CapabilityError, match=r"no answer within 0\.3 s"):
        world.call(entries["echo"], "hi")


def test_a_session_that_the_server_forgot_is_begun_anew(serve, world):
    _, entries = serve("forgetful")
    with pytest.raises(CapabilityError, match="forgot the session"):
        world.call(entries["echo"], "hi")
    assert world.call(entries["echo"], "hi") == "hi"


def test_a_server_that_is_not_there_is_said_to_be(world):
    with pytest.raises(CapabilityError, match="onnect"):
        world.call(world.set(url="http://127.0.0.1:1/mcp")["echo"], "hi")


def test_what_a_server_tells_by_a_stream_of_its_own_is_heard_where_somebody_hears(serve, world):
    server, entries = serve("telling", events=True, timeout=30.0)
    found = write(world.call(entries["mcp-events.s"], read_value("{:wait 20 :most 1}")))
    assert found == '{:events [{:kind :log :level "info" :data "x"}] :lost 0}'
    assert [method for method, _ in server.seen].count("GET") == 1


@pytest.mark.parametrize("how", ["flooding", pytest.param("babbling", marks=pytest.mark.slow)])
def test_who_tells_without_end_by_a_stream_of_its_own_is_given_up(serve, world, how):
    server, entries = serve(how, events=True, most_bytes=20_000)
    with suppress(CapabilityError):  # it may tell too much even before it answers
        world.call(entries["echo"], "hi")
    link = world.sets[-1]._started._sessions["s", ""]._link
    for _ in range(2_000):
        if link.over.is_set():
            break
        anyio.run(anyio.sleep, 0.01)
    assert "that nobody reads, without answering" in link.why
    assert [method for method, _ in server.seen].count("GET") == 1


def test_a_stream_that_ends_at_once_is_asked_for_each_time_later(monkeypatch):
    slept = []
    now = iter(range(0, 10_000, 10))

    async def sleep(seconds):
        slept.append(seconds)

    class Ending(httpx2.AsyncBaseTransport):
        async def handle_async_request(self, request):
            assert request.extensions["timeout"]["read"] is None
            return httpx2.Response(200, request=request)

    monkeypatch.setattr(http.anyio, "sleep", sleep)
    monkeypatch.setattr(http.anyio, "current_time", lambda: next(now))
    limited = http._Limited(Ending(), Gate(1_000), listens=True)

    async def ask():
        for _ in range(9):
            await limited.handle_async_request(httpx2.Request("GET", "http://127.0.0.1/mcp"))

    anyio.run(ask)
    assert slept == [1, 2, 4, 8, 16, 32, 60, 60]


@pytest.mark.parametrize(
    ("asks", "token", "says"),
    [
        ("", False, "it refuses who asks (status 401); its token is the variable"),
        ('Bearer resource_metadata="http://x"', False, "asks for OAuth, by which nobody signs in here: get a token"),
        ("Bearer", True, "it refuses the token that it was sent (status 401), which 'token_env' names"),
    ],
)
def test_who_is_refused_is_told_the_way_out(asks, token, says):
    request = httpx2.Request("POST", "http://127.0.0.1/mcp", headers={"authorization": "Bearer x"} if token else {})
    assert says in http._refusal(request, httpx2.Response(401, headers={"www-authenticate": asks}))
