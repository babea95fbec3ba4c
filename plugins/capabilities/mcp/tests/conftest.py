"""A host's half of the set `mcp`: servers that were pinned, and calls of their tools without a host around them."""

from __future__ import annotations

import sys
from pathlib import Path

import anyio
import attrs
import pytest

from rtfs_capability_mcp import stdio
from rtfs_capability_mcp.pins import LOCK, digest_of, lock_text, tool_of
from rtfs_capability_mcp.settings import McpGrant, McpSettings, ServerSettings
from rtfs_capability_mcp.tools import McpTools
from rtfs_framework.api import CapabilityGrant, CapabilityRequest, CapabilitySetSettings, Keyword, Map

HOSTILE = Path(__file__).with_name("hostile.py")
TEXT = {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}
OUT = {"type": "object", "properties": {"length": {"type": "integer"}}, "required": ["length"]}
PINNED = (
    tool_of("echo", {"description": "Says it again.", "inputSchema": TEXT, "annotations": {"readOnlyHint": True}}),
    tool_of("length", {"description": "Counts.", "inputSchema": TEXT, "outputSchema": OUT}),
)
"""What the tools of `hostile.py` are while it behaves."""


class World:
    """One server `s`, pinned, and the set that offers its tools."""

    def __init__(self, base, environ):
        self.base, self.environ, self.sets = base, environ, []

    def command(self, how, *rest):
        return (sys.executable, "-S", "-E", str(HOSTILE), how, *rest)

    def set(self, how="good", *, pins=PINNED, digest=None, directory="", name="s", **settings):
        """Return the entries by name of a server that behaves so."""
        self.base.joinpath(LOCK).write_text(lock_text({}, name, {}, pins))
        reach = {} if {"url", "command"} & set(settings) else {"command": self.command(how)}
        given = {"protocol": "legacy", "pinned": digest or digest_of(pins), **reach, **settings}
        own = McpSettings(servers={name: ServerSettings(**given)})
        made = McpTools(
            CapabilitySetSettings(own=own, base=str(self.base), directory=str(directory), environ=self.environ.get)
        )
        self.sets.append(made)
        return {each.id.removeprefix(f"mcp.{name}."): each for each in made.entries()}

    def request(self, entry, text="hi", *, grant=None, uri=None, **more):
        """Return a call that is granted all, or what is said: of a tool, or with a URI."""
        args = uri or (text if isinstance(text, Map) else Map.of([(Keyword("text"), text)]))
        grants = (CapabilityGrant(grant or McpGrant(), str(self.base)),)
        return CapabilityRequest(entry.id, (args,), grants=grants, **more)

    @staticmethod
    def made(entry, request):
        """Return what a handler makes of a call."""
        return anyio.run(entry.handler, request)

    def call(self, entry, text="hi", **more):
        """Return what one call gives; `more` is what `request` takes."""
        return anyio.run(entry.handler, self.request(entry, text, **more))

    def close(self):
        for each in self.sets:
            each.close()


@pytest.fixture
def world(tmp_path, monkeypatch):
    monkeypatch.setattr(stdio, "_GRACE", 0.05)
    monkeypatch.setattr(stdio, "_LOOK", 0.02)
    made = World(tmp_path, {"PATH": "/usr/bin:/bin", "SECRET": "hunter2-hunter2", "OTHER": "x"})
    yield made
    made.close()


def granted(entry):
    """Return an entry that is called as if its bare name were granted."""

    async def handler(request):
        return await entry.handler(attrs.evolve(request, grants=(CapabilityGrant(McpGrant()),)))

    return attrs.evolve(entry, handler=handler)


@pytest.fixture
def grant_all():
    return granted
