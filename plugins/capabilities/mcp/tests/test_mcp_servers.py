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


def test_what_the_everything_server_tells_unasked(world, tmp_path, monkeypatch):
    npx = shutil.which("npx")
    if npx is None:
        pytest.skip("npx is not installed")
    environ = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(tmp_path)}
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    world.environ.update(environ)
    command, env = (npx, "--yes", EVERYTHING, "stdio"), {"HOME": "HOME"}
    if subprocess.run(command, env=environ, input=b"", capture_output=True, timeout=120, check=False).returncode:
        pytest.skip(f"npm has no {EVERYTHING} here")
    made = pinned(world, "--env", "HOME", "--", *command)
    entries = world.set(**{**made, "protocol": "legacy"}, command=command, env=env, events=True, start_timeout=60.0)
    world.call(entries["trigger-long-running-operation"], arguments(duration=1, steps=3))
    told = to_json(world.call(entries["mcp-events.s"], arguments(wait=5)))["events"]
    progress = [each["progress"] for each in told if each["kind"] == "progress"]
    assert progress == [1, 2, 3]
    uri = "demo://resource/dynamic/text/1"
    world.call(entries["mcp-events.s"], arguments(uris=(uri,)))
    world.call(entries["toggle-subscriber-updates"], arguments())
    told = [
        each for _ in range(10) for each in to_json(world.call(entries["mcp-events.s"], arguments(wait=2)))["events"]
    ]
    assert {"kind": "updated", "uri": uri} in told
