"""A server of MCP in this process, and the official client; in processes of its own where streams or HTTP matter."""

from __future__ import annotations

import asyncio
import os
import sys
from importlib.util import find_spec

import pytest

from rtfs_framework.orchestrator.config.agents import McpClientSpec
from rtfs_framework.orchestrator.session import Session

collect_ignore_glob = ["test_*.py"] if find_spec("mcp") is None else []

CONFIG = """
[delegation]
engine = "static"
[delegation.local_models.echo]
provider = "echo"
[[engines.static.rules]]
symbols = ["pay", "wire"]
to = "local-echo"
ask = "boss"
[approvals]
timeout = "1 min"
[security]
grant = ["host.*"]
"""
START = "from rtfs_framework.cli.main import main; main()"


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A folder of the test's own, with a configuration."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RTFS_HOME", str(tmp_path / "home"))
    (tmp_path / "own.toml").write_text(CONFIG, encoding="utf-8")
    return tmp_path


@pytest.fixture
def start(home):
    """Return the command line of a server in a process of its own."""

    def command(*args):
        env = {**os.environ, "RTFS_HOME": str(home / "home")}
        return {"command": sys.executable, "args": ["-c", START, "mcp", "--config", "own.toml", *args], "env": env}

    return command


@pytest.fixture
def asked(home):
    """Run a coroutine function with a client of a server in this process: `asked(work, client=..., more=..., ...)`.

    `host` is what [security] says in place of what it says here.
    """
    from mcp import Client

    from rtfs_framework.cli.mcp.clients import Clients
    from rtfs_framework.cli.mcp.server import Front

    def go(work, *, client=None, more="", host="", **how):
        config = CONFIG.replace('grant = ["host.*"]', host) if host else CONFIG
        (home / "own.toml").write_text(config + more, encoding="utf-8")
        with Session.open(config_path="own.toml") as session:
            bounds = session.host.config.mcp
            known = {each.name: each for each in bounds.clients}
            spec = known[client] if client else McpClientSpec(name="")

            def opened(_tenant):
                session.host.dispatcher.approvals.listeners.append(front.waiting.note)
                return session

            clients = Clients(opened, bounds)
            front = Front(clients, lambda _: spec)

            async def whole():
                async with Client(front.server(), **how) as found:
                    return await work(found)

            return asyncio.run(asyncio.wait_for(whole(), 30))

    return go
