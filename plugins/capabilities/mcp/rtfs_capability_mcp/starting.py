"""The servers of a host that were started: one session for each server and tenant, in one loop of their own."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from anyio.abc import TaskGroup
from mcp.client import Transport
from mcp_types import CallToolResult, GetPromptResult, ReadResourceResult

from rtfs_capability_mcp.events import METHODS
from rtfs_capability_mcp.gate import Gate
from rtfs_capability_mcp.http import http
from rtfs_capability_mcp.loop import McpLoop
from rtfs_capability_mcp.pins import PinnedTool
from rtfs_capability_mcp.session import Connect, Session
from rtfs_capability_mcp.settings import ServerSettings
from rtfs_capability_mcp.stdio import Program, Said, stdio
from rtfs_framework.api import CapabilityError, CapabilitySetSettings, FailureKind, blotter

_PATH = "PATH"


class Started:
    """Sessions by server and tenant."""

    def __init__(
        self,
        servers: Mapping[str, ServerSettings],
        settings: CapabilitySetSettings,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._servers = servers
        self._settings = settings
        self._clock = clock
        self._loop = McpLoop()
        self._sessions: dict[tuple[str, str], Session] = {}
        """Touched in the loop alone."""

    async def call(
        self, server: str, tenant: str, tool: PinnedTool, arguments: dict[str, Any], seconds: float
    ) -> CallToolResult:
        """Return what a tool of a server answers. Raises as `Session.call` does."""

        async def work(group: TaskGroup) -> CallToolResult:
            return await self._session(server, tenant, group).call(tool, arguments, seconds)

        return await self._loop.run(work)

    async def read(self, server: str, tenant: str, uri: str, seconds: float) -> ReadResourceResult:
        """Return a resource of a server. Raises as `Session.read` does."""

        async def work(group: TaskGroup) -> ReadResourceResult:
            return await self._session(server, tenant, group).read(uri, seconds)

        return await self._loop.run(work)

    async def listed(self, server: str, tenant: str, what: str, seconds: float) -> list[dict[str, Any]]:
        """Return the resources or prompts of a server. Raises as `Session.listed` does."""

        async def work(group: TaskGroup) -> list[dict[str, Any]]:
            return await self._session(server, tenant, group).listed(what, seconds)

        return await self._loop.run(work)

    async def prompt(
        self, server: str, tenant: str, name: str, given: dict[str, str], seconds: float
    ) -> GetPromptResult:
        """Return a prompt of a server. Raises as `Session.prompt` does."""

        async def work(group: TaskGroup) -> GetPromptResult:
            return await self._session(server, tenant, group).prompt(name, given, seconds)

        return await self._loop.run(work)

    async def watch(
        self, server: str, tenant: str, uris: Sequence[str], most: int, wait: float, seconds: float
    ) -> tuple[list[dict[str, Any]], int]:
        """Return what a server told unasked. Raises as `Session.watch` does."""

        async def work(group: TaskGroup) -> tuple[list[dict[str, Any]], int]:
            return await self._session(server, tenant, group).watch(uris, most, wait, seconds)

        return await self._loop.run(work)

    def _session(self, server: str, tenant: str, group: TaskGroup) -> Session:
        found = self._sessions.get((server, tenant))
        if found is None or found.group is not group:  # another group is of the process that this one was forked off
            found = self._sessions[server, tenant] = self._begun(server, group)
        return found

    def _begun(self, name: str, group: TaskGroup) -> Session:
        server, said = self._servers[name], Said()
        gates: list[Gate] = []
        secrets, connect = connection(name, server, self._settings, said, gates)

        def heard() -> None:
            for each in gates:
                each.heard()

        return Session(name, server, connect, group, self._clock, said.text, blotter(secrets), heard)

    def close(self) -> None:
        """Stop them all."""
        self._loop.close()


def connection(
    name: str, server: ServerSettings, settings: CapabilitySetSettings, said: Said, gates: list[Gate]
) -> tuple[list[str], Connect]:
    """Return the secrets that a server is given, and what connects to it; `gates` gets the gate of each connection.

    Raises:
        CapabilityError: A variable that it needs is not set, or its program is not installed.
    """

    def gate() -> Gate:
        gates[:] = [Gate(server.most_bytes, METHODS if server.events else frozenset())]
        return gates[0]

    if server.url:
        token = _variable(name, server.token_env, settings) if server.token_env else None

        def reach(_: Callable[[str], None]) -> Transport:
            return http(server.url, token, gate(), server.timeout, listens=server.events)

        return ([] if token is None else [token]), reach
    given = {child: _variable(name, ours, settings) for child, ours in server.env.items()}
    path = given.get(_PATH) or settings.environ(_PATH) or ""
    folder = str(Path(settings.base, server.cwd).absolute())
    program = Program(
        (_found(name, server.command[0], path, folder), *server.command[1:]), {_PATH: path, **given}, folder
    )

    def start(ended: Callable[[str], None]) -> Transport:
        said.tail = b""
        return stdio(program, gate(), said, ended)

    return list(given.values()), start


def _found(name: str, command: str, path: str, folder: str) -> str:
    """Return the program that a command names, looked for where the server would."""
    found = command if Path(command).is_absolute() else shutil.which(command, path=path)
    if found is None and "/" in command:
        found = str(Path(folder, command))
    if found is None:
        message = f"MCP server {name!r}: there is no program {command!r} on PATH; install it, or name its file"
        raise CapabilityError(message, "NetworkError", failure=FailureKind.FINAL)
    return found


def _variable(name: str, variable: str, settings: CapabilitySetSettings) -> str:
    value = settings.environ(variable)
    if not value:
        message = f"MCP server {name!r}: the environment variable {variable} is not set"
        raise CapabilityError(message, "SecurityViolation", failure=FailureKind.FINAL)
    return value
