"""What this distribution offers to rtfs_framework. Imports nothing heavy: the client comes when a tool is called."""

from __future__ import annotations

from typing import Any

from rtfs_capability_mcp.settings import KINDS, McpGrant, McpSettings
from rtfs_framework.api import CapabilitySet, CapabilitySetEntry, CapabilitySetSettings, CommandEntry, hookimpl

rtfs_api_version = 2


@hookimpl
def rtfs_capability_sets() -> list[CapabilitySetEntry]:
    """Offer the tools of the servers in `[capabilities.mcp.servers]`: each is `mcp.SERVER.TOOL`."""
    return [
        CapabilitySetEntry(
            name="mcp",
            summary="The tools of MCP servers, as they were pinned; their resources, prompts and events.",
            factory=_make,
            settings=McpSettings,
            ids=("mcp.*", *(f"{each}.*" for each in KINDS)),
            grant=McpGrant,
        )
    ]


@hookimpl
def rtfs_commands() -> list[CommandEntry]:
    """Offer `rtfs capabilities add mcp`."""
    return [
        CommandEntry(
            name="capabilities add",
            summary="Add an MCP server's tools: start it once, show and pin them.",
            example="rtfs capabilities add mcp time -- python -m mcp_server_time",
            load=_add,
        )
    ]


def _make(settings: CapabilitySetSettings) -> CapabilitySet:
    from rtfs_capability_mcp.tools import McpTools

    return McpTools(settings)


def _add() -> Any:
    from rtfs_capability_mcp.commands import add

    return add
