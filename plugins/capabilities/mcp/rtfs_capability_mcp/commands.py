"""`rtfs capabilities add mcp`: start a server once, show its tools, pin them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, MutableMapping
from pathlib import Path
from typing import Any

import anyio
import attrs
import click
import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import InlineTable

from rtfs_capability_mcp.pins import (
    LOCK,
    LockError,
    PinnedTool,
    difference,
    digest_of,
    lock_text,
    pinned_tools,
    read_lock,
)
from rtfs_capability_mcp.schemas import type_text
from rtfs_capability_mcp.settings import McpSettings, ServerSettings
from rtfs_capability_mcp.words import shown, summary
from rtfs_framework.api import CapabilitySetSettings
from rtfs_framework.api.fitting import FileError, write_model

NOT_A_SERVER = "E0852"
_HINTS = ("readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint")
_MOST_SHOWN = 2_000


@click.group()
def add() -> None:
    """Add capabilities of somebody else's: shown, pinned in a lock, and granted to nobody.

    \b
    rtfs capabilities add mcp time -- python -m mcp_server_time
    """  # noqa: D301 - click's \b is a backspace


@add.command("mcp")
@click.argument("name")
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
@click.option("--url", default="", help="Where the server is reached by streamable HTTP, instead of a COMMAND.")
@click.option("--token-env", default="", metavar="VARIABLE", help="With --url: the variable that holds its token.")
@click.option("--env", multiple=True, metavar="X[=VARIABLE]", help="With COMMAND: a variable it gets, and from which.")
@click.option("--cwd", default=".", help="With COMMAND: where it runs, relative to the configuration.")
@click.option("--renew", is_flag=True, help="Pin the tools of a server that is there already as they are now.")
@click.option("--yes", is_flag=True, help="Pin what changed without asking.")
@click.option("--config", type=click.Path(path_type=Path), default="delegation.toml", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs to read.")
def add_mcp(  # noqa: PLR0913 - one for each option
    *, name: str, command: tuple[str, ...], url: str, token_env: str, env: tuple[str, ...], cwd: str, renew: bool,
    yes: bool, config: Path, as_json: bool,
) -> None:  # fmt: skip
    """Add the tools of an MCP server: start it once, show them, write its table and a lock.

    The table goes to the configuration, what its tools are to mcp.lock.json beside it. At run time nothing but these
    tools can be called, each only where it is granted, and only while it is what it was when you looked at it.

    \b
    rtfs capabilities add mcp time -- python -m mcp_server_time
    rtfs capabilities add mcp notes --env API_KEY=NOTES_KEY -- npx -y @example/notes
    rtfs capabilities add mcp docs --url https://example.com/mcp --token-env DOCS_TOKEN
    rtfs capabilities add mcp time --renew
    """  # noqa: D301 - click's \b is a backspace
    document = _document(config)
    table = _table(document, config)
    lock = _lock(config)
    if renew and not (command or url):
        server = _known(table, name)
    elif name in table and not renew:
        raise FileError(NOT_A_SERVER, f"there is a server {name!r} already", "`--renew` pins it anew", str(config))
    else:
        given = {child: ours or child for child, _, ours in (each.partition("=") for each in env)}
        server = _made(name, {"command": command, "url": url, "token_env": token_env, "env": given, "cwd": cwd})
    about, tools = anyio.run(_listed, name, server, str(config.parent))
    changed = dict(_changes(lock, name, str(table.get(name, {}).get("pinned", "")), tools)) if renew else {}
    if not as_json:
        for line in _lines(name, tools, changed):
            click.echo(line)
    if changed and not yes:
        click.confirm("Pin them as they are now?", abort=True, err=as_json)
    digest = digest_of(tools.values())
    write_model(config.parent / LOCK, lock_text(lock, name, about, list(tools.values())).encode())
    table[name] = _toml(table, name, server, digest)
    write_model(config, tomlkit.dumps(document).encode())
    _told(name, config, tools, changed, digest, as_json=as_json)


def _told(
    name: str, config: Path, tools: Mapping[str, PinnedTool], changed: Mapping[str, str], digest: str, *, as_json: bool
) -> None:
    if as_json:
        ids = [f"mcp.{name}.{each}" for each in tools]
        data = {"server": name, "config": str(config), "tools": ids, "changed": sorted(changed), "pinned": digest}
        click.echo(json.dumps(data))
        return
    click.echo(f"pinned {len(tools)} tools ({digest[:12]}) in {config.parent / LOCK}; table in {config}")
    click.echo(f'nothing is granted yet: `[security] grant = ["mcp.{name}.TOOL"]`')
    click.echo(f"where {config.name} was trusted, its content is another now: read it, then `rtfs config trust`")


def _document(path: Path) -> tomlkit.TOMLDocument:
    """Return the configuration with its comments; an empty one where there is none."""
    try:
        return tomlkit.parse(path.read_text(encoding="utf-8")) if path.exists() else tomlkit.document()
    except (OSError, UnicodeDecodeError, TOMLKitError) as error:
        raise FileError(NOT_A_SERVER, f"it cannot be read: {error}", "mend it first", str(path)) from error


def _table(document: tomlkit.TOMLDocument, path: Path) -> Any:
    """Return the table of servers, made where there is none."""
    found: Any = document
    for key in ("capabilities", "mcp", "servers"):
        if key not in found:
            inline = isinstance(found, InlineTable)
            found[key] = tomlkit.inline_table() if inline else tomlkit.table(is_super_table=True)
        found = found[key]
        if not isinstance(found, MutableMapping):
            raise FileError(NOT_A_SERVER, f"{key!r} is no table", "mend it first", str(path))
    return found


def _lock(config: Path) -> dict[str, Any]:
    try:
        return read_lock(config.parent / LOCK)
    except LockError as error:
        way_out = "take it away, then `--renew` each server"
        raise FileError(NOT_A_SERVER, str(error), way_out, str(config.parent / LOCK)) from error


def _known(table: Any, name: str) -> ServerSettings:
    if name not in table:
        way_out = f"`rtfs capabilities add mcp {name} -- COMMAND`, or `--url URL`"
        raise FileError(NOT_A_SERVER, f"there is no server {name!r}", way_out)
    fields = {key: value for key, value in table[name].unwrap().items() if key != "pinned"}
    return _made(name, fields)


def _made(name: str, fields: Mapping[str, Any]) -> ServerSettings:
    """Return the settings of a server.

    Raises:
        FileError: They reach none.
    """
    try:
        server = ServerSettings(**{**fields, "command": tuple(fields.get("command", ()))})
        McpSettings(servers={name: server})
    except (TypeError, ValueError) as error:
        way_out = "name a program after `--`, or an address with --url"
        raise FileError(NOT_A_SERVER, f"{shown(name, 40)}: {error}", way_out) from error
    return server


async def _listed(name: str, server: ServerSettings, base: str) -> tuple[dict[str, Any], dict[str, PinnedTool]]:
    """Start a server, return what it says of itself and its tools, and stop it."""
    from rtfs_capability_mcp.asking import listed_once

    return await listed_once(name, server, CapabilitySetSettings(base=base, environ=os.environ.get))


def _changes(
    lock: Mapping[str, Any], name: str, digest: str, tools: Mapping[str, PinnedTool]
) -> Iterator[tuple[str, str]]:
    """Yield what differs from the pins: a tool's name, and how."""
    try:
        pinned = {tool.name: tool for tool in pinned_tools(lock, name, digest)}
    except LockError:
        pinned = {}  # nobody knows what they were: all are new
    for each, tool in pinned.items():
        now = tools.get(each)
        if now is None or now.digest != tool.digest:
            yield each, difference(tool, now)
    for each in tools:
        if each not in pinned:
            yield each, "it is new"


def _lines(name: str, tools: Mapping[str, PinnedTool], changed: Mapping[str, str]) -> Iterator[str]:
    """Yield what people see of tools. The server's words are quoted, and everything in them that is unseen shown."""
    for tool in tools.values():
        yield f"mcp.{name}.{tool.name}"
        yield f"  takes {shown(type_text(tool.definition.get('inputSchema')), _MOST_SHOWN)}"
        if "outputSchema" in tool.definition:
            yield f"  gives {shown(type_text(tool.definition['outputSchema']), _MOST_SHOWN)}"
        yield f'  says: "{summary(tool.description, _MOST_SHOWN)}"'
        hints = [hint for hint in _HINTS if tool.hint(hint)]
        if hints:
            yield f"  says of itself: {', '.join(hints)} (counts only with trust_hints = true)"
    for each, how in changed.items():
        yield f"changed: {shown(each, 128)}"
        yield from (f"  {line}" for line in how.splitlines())


def _toml(servers: Any, name: str, server: ServerSettings, digest: str) -> Any:
    """Return the server's table: the old one with its comments where there is one, with the new pins."""
    table = servers.get(name)
    if table is None:
        table = tomlkit.inline_table() if isinstance(servers, InlineTable) else tomlkit.table()
    for field in attrs.fields(ServerSettings):
        value = digest if field.name == "pinned" else getattr(server, field.name)
        default = {} if field.name == "env" else field.default
        if value == default:
            table.pop(field.name, None)
            continue
        value = list(value) if isinstance(value, tuple) else value
        if field.name not in table or table[field.name] != value:
            table[field.name] = _inline(value) if isinstance(value, Mapping) else value
    return table


def _inline(value: Mapping[str, Any]) -> InlineTable:
    made = tomlkit.inline_table()
    made.update(value)
    return made
