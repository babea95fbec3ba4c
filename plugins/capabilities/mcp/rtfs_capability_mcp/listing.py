"""What a server lists, as it describes it now: bounded, and of tools with what belongs to their definition."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

from mcp import Client, MCPError
from mcp_types import METHOD_NOT_FOUND, Tool

from rtfs_capability_mcp.pins import MOST_LISTED, MOST_TOOLS, TOOL_NAME, PinnedTool, tool_of

_MOST_PAGES = 100
_PARTS = ("title", "description", "input_schema", "output_schema", "annotations")


class ListingError(Exception):
    """Why a list of tools is not taken."""


async def list_tools(client: Client) -> tuple[dict[str, PinnedTool], float | None]:
    """Return the tools by name, and for how many seconds the list holds; None where the server does not say.

    Tools that are called what no capability may be called are left out.

    Raises:
        ListingError: There is no end of them, or two of one name.
        MCPError: The server cannot list them.
    """
    found: dict[str, PinnedTool] = {}
    ttl: float | None = None
    cursor: str | None = None
    for _ in range(_MOST_PAGES):
        page = await client.list_tools(cursor=cursor, cache_mode="bypass")
        for tool in page.tools:
            if tool.name in found:
                message = f"two tools are called {tool.name!r}"
                raise ListingError(message)
            if TOOL_NAME.fullmatch(tool.name):
                found[tool.name] = tool_of(tool.name, definition_of(tool))
        if len(found) > MOST_TOOLS or sum(tool.size for tool in found.values()) > MOST_LISTED:
            break
        if "ttl_ms" in page.model_fields_set:
            ttl = min(page.ttl_ms / 1000, ttl if ttl is not None else float("inf"))
        cursor = page.next_cursor
        if cursor is None:
            return found, ttl
    message = f"there are more than {MOST_TOOLS:,} tools, or {MOST_LISTED:,} characters of them"
    raise ListingError(message)


async def list_others(client: Client, what: str) -> list[dict[str, Any]]:
    """Return the resources and templates of resources of a server, or its prompts, as JSON data without icons.

    Raises:
        ListingError: There is no end of them.
        MCPError: The server cannot list them.
    """
    if what == "prompts":
        return await _listed(client.list_prompts, "prompts")
    found = await _listed(client.list_resources, "resources")
    try:
        return [*found, *await _listed(client.list_resource_templates, "resource_templates")]
    except MCPError as error:
        if error.error.code != METHOD_NOT_FOUND:
            raise
        return found


async def _listed(ask: Callable[..., Awaitable[Any]], field: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    size, cursor = 0, None
    for _ in range(_MOST_PAGES):
        page = await ask(cursor=cursor)
        for each in getattr(page, field):
            found.append(each.model_dump(by_alias=True, mode="json", exclude_none=True, exclude={"icons", "meta"}))
            size += len(json.dumps(found[-1]))
        if len(found) > MOST_TOOLS or size > MOST_LISTED:
            break
        cursor = page.next_cursor
        if cursor is None:
            return found
    message = (
        f"there are more than {MOST_TOOLS:,} of its {field.replace('_', ' ')}, or {MOST_LISTED:,} characters of them"
    )
    raise ListingError(message)


def definition_of(tool: Tool) -> dict[str, Any]:
    """Return what of a tool is pinned, as JSON data: its words, schemas and hints, not its icons."""
    definition: dict[str, Any] = tool.model_dump(
        by_alias=True, mode="json", exclude_none=True, include=set(_PARTS), exclude_unset=True
    )
    return definition
