"""`rtfs mcp`: an MCP server, so that agents check, run and read about programs."""

from __future__ import annotations

import socket
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import click

from rtfs_framework.cli.faults import FINE, CommandLineError
from rtfs_framework.cli.options import config_option, environment, json_option, open_session
from rtfs_framework.cli.shown.data import put_json
from rtfs_framework.cli.terminal import complain, say
from rtfs_framework.lang.diagnostics import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rtfs_framework.cli.mcp.server import Front
    from rtfs_framework.orchestrator.config.agents import McpClientSpec, McpSpec
    from rtfs_framework.orchestrator.session import Session

MISSING, NO_CLIENT, NO_ADDRESS = "E0987", "E0988", "E0924"
_NEEDED = ("mcp", "starlette", "uvicorn")


@click.command()
@click.option("--client", metavar="NAME", help="Who comes by the standard streams: a table of [mcp.clients].")
@click.option("--http", is_flag=True, help="Serve over HTTP on 127.0.0.1 instead; each client needs its token.")
@click.option("--port", type=click.IntRange(0, 65535), default=8644, show_default=True, help="With --http; 0: any.")
@json_option
@config_option
def command(*, client: str | None, http: bool, port: int, as_json: bool, config: str | None) -> int:
    """Serve agents by the Model Context Protocol: tools to check, run, explain and resume programs, and to read.

    The tools are check, run, explain, resume, doc and prompt. A client may do what this host may, narrowed by its table
    [mcp.clients.NAME]; calls that wait for a person are put to its user where it can ask. Agents start it themselves:
    "command": "rtfs", "args": ["mcp", "--client", "desk"]. It needs `pip install 'rtfs-framework[mcp]'`.

    \b
    rtfs mcp
    rtfs mcp --client desk --config delegation.toml
    rtfs mcp --http --port 8644
    """  # noqa: D301 - click's \b is a backspace
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        message = f"the server needs {' and '.join(missing)}, which is not installed"
        raise CommandLineError(MISSING, message, "pip install 'rtfs-framework[mcp]'")
    if client is not None and http:
        raise click.UsageError("--client and --http exclude each other: over HTTP the token says who it is")
    with open_session(None, config, environ=_unguessed()) as first:
        return _serve(first, client, config, port if http else None, as_json=as_json)


def _unguessed() -> Mapping[str, str]:
    from rtfs_framework.orchestrator.performing.found import unguessed

    return unguessed(environment())


def _serve(first: Session, client: str | None, config: str | None, port: int | None, *, as_json: bool) -> int:
    import asyncio

    from rtfs_framework.cli.mcp.clients import Clients
    from rtfs_framework.cli.mcp.serving import serve_http, serve_streams

    bounds = first.host.config.mcp
    fronts: list[Front] = []

    def opened(tenant: str) -> Session:
        plain = tenant in ("", first.host.config.tenant)
        session = first if plain else open_session(None, config, environ={**_unguessed(), "RTFS_TENANT": tenant})
        session.host.dispatcher.approvals.listeners.append(fronts[0].waiting.note)
        return session

    clients = Clients(opened, bounds)
    try:
        if port is None:
            asyncio.run(serve_streams(clients, _named(bounds, client), fronts.append))
        else:
            known, ready = _known(bounds, as_json=as_json)
            asyncio.run(serve_http(clients, known, _listener(port), ready, fronts.append))
    finally:
        clients.close()
    return FINE


def _named(bounds: McpSpec, name: str | None) -> McpClientSpec:
    from rtfs_framework.orchestrator.config.agents import McpClientSpec

    if name is None:
        return McpClientSpec(name="")
    table = {each.name: each for each in bounds.clients}
    if name not in table:
        near = did_you_mean(name, table) or f"known: {', '.join(table) or 'none'}; write [mcp.clients.{name}]"
        raise CommandLineError(NO_CLIENT, f"no client is called '{name}'", near)
    return table[name]


def _known(bounds: McpSpec, *, as_json: bool) -> tuple[tuple[McpClientSpec, ...], Any]:
    """Return who may come over HTTP, and what says that the server is ready: with a token where none is configured."""
    from rtfs_framework.cli.mcp.serving import own_client

    known = tuple(each for each in bounds.clients if each.sha256)
    token = ""
    if not known:
        own, token = own_client()
        known = (own,)

    def ready(url: str) -> None:
        if as_json:
            put_json({"url": url, **({"token": token} if token else {})})
            return
        say(f"serving MCP at {url}")
        if token:
            complain(f"token, for this server alone: {token}\n  help: [mcp.clients.NAME] sha256 = ... keeps one")

    return known, ready


def _listener(port: int) -> socket.socket:
    from rtfs_framework.cli.mcp.serving import HOST
    from rtfs_framework.server.sockets import listen

    try:
        return listen(HOST, port)
    except OSError as error:
        message = f"cannot listen on {HOST}, port {port}: {error.strerror or error}"
        raise CommandLineError(NO_ADDRESS, message, "choose another --port, or end what listens there") from None
