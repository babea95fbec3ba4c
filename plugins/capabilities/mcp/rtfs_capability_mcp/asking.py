"""A server asked once for its tools, and stopped: what `rtfs capabilities add mcp` does."""

from __future__ import annotations

from typing import Any

import anyio
from mcp import Client, MCPError

from rtfs_capability_mcp.listing import ListingError, list_tools
from rtfs_capability_mcp.pins import PinnedTool
from rtfs_capability_mcp.session import CLIENT, cause
from rtfs_capability_mcp.settings import ServerSettings
from rtfs_capability_mcp.starting import connection
from rtfs_capability_mcp.stdio import Said
from rtfs_capability_mcp.words import shown
from rtfs_framework.api import CapabilityError, CapabilitySetSettings, blotter
from rtfs_framework.api.fitting import FileError

UNREACHED = "E0853"


async def listed_once(
    name: str, server: ServerSettings, settings: CapabilitySetSettings
) -> tuple[dict[str, Any], dict[str, PinnedTool]]:
    """Return what a server says of itself (`server`, `protocol`), and its tools by name.

    Raises:
        FileError: It cannot be started or reached, or does not list its tools.
    """
    said, blot = Said(), blotter(())
    ends: list[str] = []
    try:
        secrets, connect = connection(name, server, settings, said, [])
        blot = blotter(secrets)
        with anyio.fail_after(server.start_timeout):
            transport = connect(ends.append)
            async with Client(transport, mode=server.protocol, cache=None, client_info=CLIENT) as client:
                tools, _ = await list_tools(client)
                about = client.server_info
                words = "" if about is None else f"{shown(about.name, 100)} {shown(about.version, 40)}"
                return {"server": words, "protocol": client.protocol_version}, tools
    except TimeoutError:
        why = f"it did not list its tools within {server.start_timeout:g} s"
    except (CapabilityError, ListingError) as error:
        why = str(error).removeprefix(f"MCP server {name!r}: ")
    except MCPError as error:
        why = ends[0] if ends else cause(error)
    except Exception as error:  # noqa: BLE001 - groups of what a server or its transport caused
        why = cause(error)
    tail = shown(said.text().strip()[-300:])
    told = f"; it wrote: {tail}" if tail else ""
    way_out = "see that the command or address is right, and that what it needs is named with --env"
    raise FileError(UNREACHED, blot(f"MCP server {name!r}: {why}{told}"), way_out)
