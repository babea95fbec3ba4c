"""Servers of others, from the registries: `mcp-server-time` over standard streams, `server-everything` by HTTP."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress

import pytest
from click.testing import CliRunner

from rtfs_capability_mcp.commands import add
from rtfs_capability_mcp.pins import LOCK, pinned_tools, read_lock
from rtfs_framework.api import CapabilityError, Keyword, Map, to_json

pytestmark = pytest.mark.slow
EVERYTHING = "@modelcontextprotocol/server-everything"


def pinned(world, *args):
    """Return the entries of a server that was added by the command."""
    config = world.base / "delegation.toml"
    done = CliRunner().invoke(add, ["mcp", "s", "--json", "--config", str(config), *args])
    assert done.exit_code == 0, done.output
    digest = json.loads(done.output)["pinned"]
    return {"pins": pinned_tools(read_lock(world.base / LOCK), "s", digest), "protocol": "auto"}


def test_the_time_server(world):
    pytest.importorskip("mcp_server_time")
    command = (sys.executable, "-m", "mcp_server_time")
    entries = world.set(**pinned(world, "--", *command), command=command)
    said = world.call(entries["get_current_time"], arguments(timezone="Etc/UTC"))
    assert to_json(said)["timezone"] == "Etc/UTC"
    with pytest.raises(CapabilityError, match="Invalid time format"):
        world.call(entries["convert_time"], arguments(source_timezone="Etc/UTC", time="x", target_timezone="Etc/UTC"))


def arguments(**given):
    return Map.of([(Keyword(name), value) for name, value in given.items()])


@pytest.fixture
def everything(tmp_path):
    """Return the URL of a server from npm."""
    npx = shutil.which("npx")
    if npx is None:
        pytest.skip("npx is not installed")
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    process = subprocess.Popen(
        [npx, "--yes", EVERYTHING, "streamableHttp"],
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(tmp_path), "PORT": str(port)},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        for _ in range(600):
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            if process.poll() is not None:
                pytest.skip(f"npm has no {EVERYTHING} here")
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}/mcp"
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def test_the_everything_server(world, everything):
    entries = world.set(**pinned(world, "--url", everything), url=everything)
    assert world.call(entries["echo"], arguments(message="hi")) == "Echo: hi"
    assert world.call(entries["get-sum"], arguments(a=2, b=40)) == "The sum of 2 and 40 is 42."
    said = world.call(entries["get-structured-content"], arguments(location="Chicago"))
    assert set(to_json(said)) == {"temperature", "conditions", "humidity"}
    assert len(world.call(entries["get-tiny-image"], arguments())) == 3
