"""A real HTTP server on loopback that speaks the OpenAI protocol and misbehaves as scripted.

    with OpenAIServer([Fail(429, headers={"Retry-After": "0"}), Say("hello")]) as server:
        ...  # point a client at server.url
    assert server.requests[1].body["model"] == "m"

Each request to POST /v1/chat/completions is checked as the vendor would (JSON, model, messages; the key, when one is
set), noted, and answered by the next behaviour of the script, or by `then` once the script is at its end. A behaviour
may also be a function from the request to a behaviour. GET /v1/models names one model. What is asked for as a stream is
said as one. `refuses` names parameters that the server does not take (`openai_abilities`), `azure` gives it the paths
and the header of Azure. Not a mock: real sockets.
"""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

import attrs
from typing_extensions import Self

from rtfs_framework.testing.openai_abilities import MODELS, Abilities, Say, chunks_of, completion


@attrs.frozen(slots=True)
class Received:
    """One request as it arrived; header names are in lower case."""

    method: str
    path: str
    headers: Mapping[str, str] = attrs.field(repr=False)
    body: Any

    @property
    def prompt(self) -> str:
        """The contents of all messages, for functions that answer by what they were asked."""
        return "\n".join(str(message.get("content")) for message in self.body["messages"])


@attrs.frozen(slots=True)
class Stream:
    """A completion in pieces, whatever was asked for; some never come to an end."""

    say: Say
    pieces: int | None = None
    """How many chunks are sent of it, None for all."""
    then: str = "end"
    """What follows them: "end", "stop" (without the end mark), "stall" (until the server closes), "break"."""
    error: Mapping[str, Any] | None = None
    """An error in the vendor's form, sent as the last event."""


def say_json(data: Any) -> Say:
    """Return a completion whose text is JSON."""
    return Say(json.dumps(data, ensure_ascii=False))


@attrs.frozen(slots=True)
class Fail:
    """An error reply in the vendor's form."""

    status: int
    message: str = "scripted failure"
    headers: Mapping[str, str] = attrs.field(factory=dict)
    code: str | None = None
    param: str | None = None


@attrs.frozen(slots=True)
class Raw:
    """Any bytes: malformed JSON, another document."""

    content: bytes
    content_type: str = "application/json"
    status: int = 200
    headers: Mapping[str, str] = attrs.field(factory=dict)


@attrs.frozen(slots=True)
class Drip:
    """A body in pieces, as many as are taken, each after a pause; `headers` say how it ends (chunked by default)."""

    pieces: Iterable[bytes]
    pause: float = 0.0
    """Seconds."""
    headers: Mapping[str, str] = attrs.field(factory=dict)
    status: int = 200


@attrs.frozen(slots=True)
class Hang:
    """No reply until the server closes."""


@attrs.frozen(slots=True)
class HangUp:
    """The connection is closed; after the first half of a reply, or before any of it."""

    halfway: bool = False


@attrs.frozen(slots=True)
class HalfClose:
    """The server ends its side of the connection without a reply, and goes on listening."""


@attrs.frozen(slots=True)
class Late:
    """Any other behaviour, after a while."""

    seconds: float
    then: Say | Fail | Raw


Behaviour = Say | Stream | Fail | Raw | Drip | Hang | HangUp | HalfClose | Late
Script = Behaviour | Callable[[Received], Behaviour]


class OpenAIServer:
    """The server; a context manager. `requests` holds what arrived, in order."""

    def __init__(
        self,
        script: Iterable[Script] = (),
        *,
        then: Script | None = None,
        key: str | None = None,
        refuses: Iterable[str] = (),
        azure: bool = False,
    ) -> None:
        self.requests: list[Received] = []
        self.sent = 0
        """Bytes of bodies that were given to the network."""
        self._script = iter(tuple(script))
        self._then: Script = Say("ok") if then is None else then
        self.abilities = Abilities(key=key, refuses=frozenset(refuses), azure=azure)
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._http = _Server(self)
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True)

    @property
    def url(self) -> str:
        """The base URL that a client is given."""
        root = f"http://127.0.0.1:{self._http.server_address[1]}"
        return root if self.abilities.azure else f"{root}/v1"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._closing.set()
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()

    def behaviour(self, received: Received) -> Behaviour:
        """Return how to answer a request that was found in order, noting it."""
        with self._lock:
            self.requests.append(received)
            wrong = self.abilities.refusal(received.method, received.path, received.headers, received.body)
            if wrong is not None:
                return Fail(wrong.status, wrong.message, code=wrong.code, param=wrong.param)
            if received.method == "GET":
                return Raw(MODELS)
            following = next(self._script, self._then)
        return following(received) if callable(following) else following

    @property
    def closing(self) -> bool:
        """Tell whether the server closes."""
        return self._closing.is_set()

    def wait_for_end(self, seconds: float | None = None) -> bool:
        """Block a request until the server closes, or for so many seconds; tell whether it closes."""
        return self._closing.wait(seconds)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, owner: OpenAIServer) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.owner = owner

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: clients that give up, as tests make them, are no errors of the server."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60
    server: _Server

    def do_GET(self) -> None:
        self._answer(None)

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        try:
            body = json.loads(raw)
        except ValueError:
            body = None
        self._answer(body)

    def _answer(self, body: Any) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        owner = self.server.owner
        received = Received(self.command, self.path, headers, body)
        behaviour = owner.behaviour(received)
        if isinstance(behaviour, Late):
            self.close_connection = owner.wait_for_end(behaviour.seconds)
            behaviour = behaviour.then
        match behaviour:
            case Say() as said if received.body.get("stream") is True:
                self._stream(Stream(said), received)
            case Stream() as stream:
                self._stream(stream, received)
            case Say() as said:
                self._send(200, completion(said, received.body, len(owner.requests)))
            case Fail() as failed:
                error = {"message": failed.message, "type": "scripted", "param": failed.param, "code": failed.code}
                self._send(failed.status, json.dumps({"error": error}).encode(), headers=failed.headers)
            case Raw() as raw:
                self._send(raw.status, raw.content, raw.content_type, headers=raw.headers)
            case Drip() as drip:
                self._drip(drip)
            case Hang():
                owner.wait_for_end()
                self.close_connection = True
            case HalfClose():
                self.connection.shutdown(socket.SHUT_WR)
                owner.wait_for_end()
                self.close_connection = True
            case HangUp(halfway=halfway):
                if halfway:
                    self._send(200, b'{"id": ', missing=100)
                self.close_connection = True

    def _stream(self, stream: Stream, received: Received) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream; charset=utf-8")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        chunks = chunks_of(stream.say, received.body)
        for chunk in chunks if stream.pieces is None else chunks[: stream.pieces]:
            self._event(json.dumps(chunk))
        if stream.error is not None:
            self._event(json.dumps({"error": dict(stream.error)}))
        self.close_connection = True
        if stream.then == "stall":
            self.server.owner.wait_for_end()
        if stream.then == "end":
            self._event("[DONE]")
        if stream.then in ("end", "stop"):
            self.wfile.write(b"0\r\n\r\n")

    def _event(self, text: str) -> None:
        data = f"data: {text}\n\n".encode()
        self.wfile.write(b"%x\r\n%b\r\n" % (len(data), data))
        self.server.owner.sent += len(data)

    def _drip(self, drip: Drip) -> None:
        self.send_response(drip.status)
        for name, value in {"Content-Type": "application/json", **drip.headers}.items():
            self.send_header(name, value)
        chunked = "Content-Length" not in drip.headers
        if chunked:
            self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        owner = self.server.owner
        self.close_connection = True
        for piece in drip.pieces:
            if owner.closing or (drip.pause and owner.wait_for_end(drip.pause)):
                return
            self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
            owner.sent += len(piece)
        if chunked:
            self.wfile.write(b"0\r\n\r\n")

    def _send(
        self,
        status: int,
        content: bytes,
        content_type: str = "application/json",
        *,
        headers: Mapping[str, str] | None = None,
        missing: int = 0,
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(content) + missing))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)
        self.server.owner.sent += len(content)

    def log_message(self, *_: Any) -> None:
        """Keep the terminal quiet."""
