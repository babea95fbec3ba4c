"""Pinned tools: what each server's tools were when their user looked at them, in `mcp.lock.json`.

In: the file beside the configuration, and the digest that the configuration names. Out: tools whose definition is the
pinned one, character by character. The lock is data of a server that nobody trusts; the digest in the configuration
covers it, so a changed lock is as visible as a changed configuration.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from difflib import unified_diff
from hashlib import sha256
from pathlib import Path
from typing import Any

import attrs

from rtfs_capability_mcp.words import shown
from rtfs_framework.api import JsonError, load_json, read_regular

LOCK = "mcp.lock.json"
VERSION = 1
TOOL_NAME = re.compile(r"[A-Za-z0-9_./-]{1,128}")
"""What a tool may be called: the protocol's recommendation (2025-11-25, "Tool Names"), and slashes."""
MOST_LOCK = 32 << 20
MOST_TOOLS = 1_000
"""Of one server."""
MOST_LISTED = 8 << 20
"""Characters of all of their definitions."""
_LINES = 40
_MOST_COMPARED = 1_000


class LockError(ValueError):
    """Why the lock says nothing of a server."""


@attrs.frozen(slots=True, eq=False)
class PinnedTool:
    """A tool as its server described it."""

    name: str
    definition: Mapping[str, Any]
    """JSON data: `description`, `inputSchema` and, where the server says them, `title`, `outputSchema`,
    `annotations`."""
    digest: str
    """SHA-256 of the name and the definition, in hexadecimal."""
    size: int
    """Characters of both, as JSON."""

    @property
    def description(self) -> str:
        """The server's words."""
        return str(self.definition.get("description") or self.definition.get("title") or "")

    def hint(self, name: str) -> bool:
        """Return a hint of the server's, such as `readOnlyHint`; false where it says nothing."""
        hints = self.definition.get("annotations")
        return isinstance(hints, Mapping) and hints.get(name) is True


def tool_of(name: str, definition: Mapping[str, Any]) -> PinnedTool:
    """Return a tool with its digest."""
    text = _canonical([name, definition])
    return PinnedTool(name, definition, _hashed(text), len(text))


def digest_of(tools: Iterable[PinnedTool]) -> str:
    """Return the digest of a server's tools, whatever their order."""
    return _hashed(_canonical(sorted(tool.digest for tool in tools)))


def _hashed(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def _canonical(data: object) -> str:
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def difference(pinned: PinnedTool, now: PinnedTool | None) -> str:
    """Return what changed in a tool, as a diff of at most 40 lines that is fit to be seen."""
    if now is None:
        return "the server offers it no longer"
    lines = [*unified_diff(_lines(pinned), _lines(now), "pinned", "now", lineterm="", n=1)]
    if not lines:
        return f"they differ beyond their first {_MOST_COMPARED} lines"
    more = [f"... {len(lines) - _LINES} more lines"] if len(lines) > _LINES else []
    return "\n".join([*(shown(line, 200) for line in lines[:_LINES]), *more])


def _lines(tool: PinnedTool) -> list[str]:
    """Return a definition in lines; few enough that comparing them takes no time that anybody notices."""
    return json.dumps(tool.definition, indent=1, sort_keys=True, ensure_ascii=True).splitlines()[:_MOST_COMPARED]


def read_lock(path: Path) -> dict[str, Any]:
    """Return what the lock says by server; nothing where there is none.

    Raises:
        LockError: It cannot be read, or is no such file.
    """
    try:
        data, _ = read_regular(path, MOST_LOCK)
        found = load_json(data.decode())
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, JsonError) as error:
        message = f"{path.name} cannot be read: {error}"
        raise LockError(message) from error
    if not isinstance(found, dict) or found.get("version") != VERSION or not isinstance(found.get("servers"), dict):
        message = f"{path.name} is no lock of this version"
        raise LockError(message)
    return dict(found["servers"])


def pinned_tools(lock: Mapping[str, Any], server: str, digest: str) -> tuple[PinnedTool, ...]:
    """Return the tools that a server was pinned with.

    Raises:
        LockError: It was not pinned, or the lock is not the one that the configuration means.
    """
    entry = lock.get(server)
    definitions = entry.get("tools") if isinstance(entry, dict) else None
    if not isinstance(definitions, dict):
        raise LockError("its tools were never pinned")
    if not all(TOOL_NAME.fullmatch(name) and isinstance(each, dict) for name, each in definitions.items()):
        raise LockError("the lock holds what is no tool")
    tools = tuple(tool_of(name, each) for name, each in definitions.items())
    if digest_of(tools) != digest:
        raise LockError("the lock is not the one that was pinned in the configuration")
    return tools


def lock_text(lock: Mapping[str, Any], server: str, about: Mapping[str, Any], tools: Sequence[PinnedTool]) -> str:
    """Return the text of a lock in which a server has these tools."""
    entry = {**about, "tools": {tool.name: tool.definition for tool in tools}}
    made = {"version": VERSION, "servers": {**lock, server: entry}}
    return json.dumps(made, indent=2, sort_keys=True, ensure_ascii=True) + "\n"
