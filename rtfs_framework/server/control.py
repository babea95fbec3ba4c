"""How commands of the same user talk to a server that runs: `rtfs serve reload`, for one.

In: a request of one line of JSON, over a loopback port that the server opens beside its own. Out: one line of JSON. Who
asks must know a secret: it lies with the port in a file of the data folder that only its user can read. The client's
side needs nothing of the extra `serve`.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import os
import secrets
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rtfs_framework.api.private import private_file, private_folder
from rtfs_framework.lang.errors import RtfsError
from rtfs_framework.orchestrator.config.folders import data_dir

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

Command = Callable[[Mapping[str, Any]], Any]
"""Called in a thread with the fields of a request; what it returns is JSON. An `RtfsError` is told to who asks."""

_LINE = 1 << 20
_SECONDS = 120.0


class NoServerError(RtfsError):
    """No server of this user runs here, or it does not answer."""

    code = "E0923"

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem
        self.way_out = "start one: rtfs serve --config FILE; or name its port: --port N"


def servers(environ: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """Yield what the files of servers say, the newest first: pid, url, control, secret."""
    folder = _folder(environ)
    files = (
        sorted(folder.glob("*.json"), key=lambda path: path.stat().st_mtime, reverse=True) if folder.is_dir() else ()
    )
    for path in files:
        with suppress(OSError, ValueError):
            said = json.loads(path.read_text(encoding="utf-8"))
            if isinstance(said, dict):
                yield {**said, "file": str(path)}


def ask(environ: Mapping[str, str], command: str, *, port: int | None = None, **fields: Any) -> Any:
    """Return what a running server says to a command; `port` is that under which it serves, None for the newest.

    Raises:
        NoServerError: None runs here.
        ServerRefusedError: It could not do that.
    """
    found = [each for each in servers(environ) if port is None or each.get("port") == port]
    for said in found:
        try:
            with socket.create_connection(("127.0.0.1", int(said["control"])), timeout=_SECONDS) as talk:
                line = json.dumps({"secret": said["secret"], "command": command, "fields": fields})
                talk.sendall(line.encode() + b"\n")
                answer = json.loads(_line(talk))
        except (OSError, ValueError, KeyError):
            continue  # a server that was killed leaves its file behind
        if "error" in answer:
            raise ServerRefusedError(answer["error"])
        return answer["done"]
    where = "" if port is None else f" at port {port}"
    raise NoServerError(f"no server of yours runs{where}")


def _line(talk: socket.socket) -> bytes:
    found = b""
    while not found.endswith(b"\n"):
        piece = talk.recv(65536)
        if not piece:
            break
        found += piece
    return found


class ServerRefusedError(RtfsError):
    """A server could not do what it was asked; `problem` is in its words."""

    def __init__(self, said: Mapping[str, Any]) -> None:
        self.problem = str(said.get("message", ""))
        self.code = str(said.get("code", "E0999"))
        self.way_out = said.get("help")
        super().__init__(self.problem)


@asynccontextmanager
async def controlled(
    environ: Mapping[str, str], port: int, url: str, commands: Mapping[str, Command]
) -> AsyncIterator[None]:
    """Take commands of this user until the block ends."""
    secret = secrets.token_urlsafe(32)

    open_: set[asyncio.StreamWriter] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        open_.add(writer)
        try:
            with suppress(ConnectionError, asyncio.TimeoutError, ValueError):
                line = await asyncio.wait_for(reader.readline(), 5.0)
                answer = await _answer(line, secret, commands)
                writer.write(json.dumps(answer).encode() + b"\n")
                await writer.drain()
        finally:
            open_.discard(writer)
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, limit=_LINE)
    path = _folder(environ) / f"{port}.json"
    try:
        control = server.sockets[0].getsockname()[1]
        said = {"pid": os.getpid(), "url": url, "port": port, "control": control, "secret": secret}
        private_folder(path.parent)
        private_file(path)
        path.write_text(json.dumps(said), encoding="utf-8")
        yield
    finally:
        server.close()
        for each in open_:  # whoever has said nothing yet is not waited for
            each.transport.abort()
        with suppress(OSError, ValueError):
            if json.loads(path.read_text(encoding="utf-8")).get("pid") == os.getpid():
                path.unlink()


async def _answer(line: bytes, secret: str, commands: Mapping[str, Command]) -> dict[str, Any]:
    asked = json.loads(line)
    if not isinstance(asked, dict) or not hmac.compare_digest(str(asked.get("secret")).encode(), secret.encode()):
        return {"error": {"code": "E0942", "message": "the secret is wrong"}}
    command = commands.get(str(asked.get("command")))
    if command is None:
        return {"error": {"code": "E0950", "message": f"the server knows no command '{asked.get('command')}'"}}
    try:
        return {"done": await asyncio.to_thread(command, asked.get("fields") or {})}
    except RtfsError as error:
        code = getattr(error, "code", None) or getattr(getattr(error, "diagnostics", (None,))[0], "code", "E0999")
        return {"error": {"code": code, "message": str(error), "help": getattr(error, "way_out", None)}}


def _folder(environ: Mapping[str, str]) -> Path:
    return data_dir(environ) / "servers"
