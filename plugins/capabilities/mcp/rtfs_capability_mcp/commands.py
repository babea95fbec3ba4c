"""`rtfs capabilities add mcp`: start a server once, show its tools, pin them."""

from __future__ import annotations

import json
import os
import shlex
from asyncio import CancelledError
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
from rtfs_capability_mcp.schemas import too_much, type_text
from rtfs_capability_mcp.settings import McpSettings, ServerSettings
from rtfs_capability_mcp.words import shown, summary
from rtfs_framework.api import CapabilitySetSettings, load_toml, read_regular, set_settings, structure
from rtfs_framework.api.fitting import FileError, write_model

NOT_A_SERVER = "E0852"
NOT_TRUSTED = "E0715"
_HINTS = ("readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint")
_MOST_SHOWN = 2_000
_MOST_BYTES = 1 << 18
"""Of a configuration."""


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
@click.option("--cwd", default="", help="With COMMAND: where it runs, relative to the configuration.")
@click.option("--renew", is_flag=True, help="Pin the tools of a server that is there already as they are now.")
@click.option("--yes", is_flag=True, help="Pin what changed without asking.")
@click.option("--config", type=click.Path(path_type=Path), help="The configuration (default: the one here).")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs to read.")
def add_mcp(  # noqa: PLR0913 - one for each option
    *, name: str, command: tuple[str, ...], url: str, token_env: str, env: tuple[str, ...], cwd: str, renew: bool,
    yes: bool, config: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """Add the tools of an MCP server: start it once, show them, write its table and a lock.

    The table goes to the configuration, what its tools are to mcp.lock.json beside it. At run time nothing but these
    tools can be called, each only where it is granted, and only while it is what it was when you looked at it.

    `--renew` starts what the configuration says, so you must have trusted it (`rtfs config trust`), or name it with
    --config. What you say besides goes before what its table says.

    \b
    rtfs capabilities add mcp time -- python -m mcp_server_time
    rtfs capabilities add mcp notes --env API_KEY=NOTES_KEY -- npx -y @example/notes
    rtfs capabilities add mcp docs --url https://example.com/mcp --token-env DOCS_TOKEN
    rtfs capabilities add mcp time --renew
    """  # noqa: D301 - click's \b is a backspace
    file = config or Path("delegation.toml")
    text = _text(file)
    document = _document(text, file)
    table = _table(document, file)
    lock = _lock(file)
    if name in table and not renew:
        raise FileError(NOT_A_SERVER, f"there is a server {name!r} already", "`--renew` pins it anew", str(file))
    given = {child: ours or child for child, _, ours in (each.partition("=") for each in env)}
    fields = {"command": command, "url": url, "token_env": token_env, "env": given, "cwd": cwd}
    said = {key: value for key, value in fields.items() if value}
    kept = _kept(name, text, said, file, named=config is not None) if renew else {}
    server = _made(name, {**kept, **said})
    about, listed = _listed(name, server, str(file.parent))
    unfit = dict(_unfit(listed))
    tools = {each: tool for each, tool in listed.items() if each not in unfit}
    changed = dict(_changes(lock, name, str(table.get(name, {}).get("pinned", "")), tools)) if renew else {}
    if not as_json:
        for line in _lines(name, tools, changed):
            click.echo(line)
    for each, why in unfit.items():
        click.echo(f"left out: mcp.{name}.{each}: its schemas cannot be used: {why}", err=True)
    if changed and not yes:
        click.confirm("Pin them as they are now?", abort=True, err=as_json)
    digest = digest_of(tools.values())
    write_model(file.parent / LOCK, lock_text(lock, name, about, list(tools.values())).encode())
    table[name] = _toml(table, name, server, kept, digest)
    write_model(file, tomlkit.dumps(document).encode())
    _told(name, file, tools, changed, digest, as_json=as_json)


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


def _text(path: Path) -> str:
    """Return what the configuration says, "" where there is none."""
    try:
        return read_regular(path, _MOST_BYTES)[0].decode("utf-8-sig")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise FileError(NOT_A_SERVER, f"it cannot be read: {error}", "mend it first", str(path)) from error


def _document(text: str, path: Path) -> tomlkit.TOMLDocument:
    """Return the configuration with its comments."""
    try:
        return tomlkit.parse(text)
    except TOMLKitError as error:
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


def _kept(name: str, text: str, said: Mapping[str, Any], path: Path, *, named: bool) -> dict[str, Any]:
    """Return what a server's table says besides what was `said` now; nothing of it where it is reached anew.

    Raises:
        FileError: There is no such server, or its table is not what the user trusts: nothing of it is started.
        ConfigError: The configuration has mistakes.
    """
    data, places = load_toml(text, str(path))
    tables = data.get("capabilities", {}).get("mcp", {}).get("servers", {})
    if name not in tables:
        if said.get("command") or said.get("url"):
            return {}
        way_out = f"`rtfs capabilities add mcp {name} -- COMMAND`, or `--url URL`"
        raise FileError(NOT_A_SERVER, f"there is no server {name!r}", way_out)
    known = structure(ServerSettings, tables[name], places, ("capabilities", "mcp", "servers", name))
    _require_trust(name, known, path, named=named)
    other = ("url", "token_env") if said.get("command") else ("command", "env", "cwd") if said.get("url") else ()
    return {
        field.name: getattr(known, field.name)
        for field in attrs.fields(ServerSettings)
        if field.name not in ("pinned", *other)
    }


def _require_trust(name: str, known: ServerSettings, path: Path, *, named: bool) -> None:
    """Refuse a server of a configuration that its user neither named nor trusted: a host would not start it either."""
    found = set_settings("mcp", config=str(path) if named else None)
    own: McpSettings = found.own or McpSettings()
    here = path.parent.resolve()
    if own.servers.get(name) == known and Path(found.base).resolve() == here:
        return
    message = f"server {name!r} is not started: {path} is not trusted, or another configuration goes before it"
    way_out = (
        f"read it; then `rtfs config trust {shlex.quote(str(path))}`, or name it: --config {shlex.quote(str(path))}"
    )
    raise FileError(NOT_TRUSTED, message, way_out)


def _made(name: str, fields: Mapping[str, Any]) -> ServerSettings:
    """Return the settings of a server.

    Raises:
        FileError: They reach none.
    """
    try:
        server = ServerSettings(**fields)
        McpSettings(servers={name: server})
    except (TypeError, ValueError) as error:
        way_out = "name a program after `--`, or an address with --url"
        raise FileError(NOT_A_SERVER, f"{shown(name, 40)}: {error}", way_out) from error
    return server


def _listed(name: str, server: ServerSettings, base: str) -> tuple[dict[str, Any], dict[str, PinnedTool]]:
    """Start a server, return what it says of itself and its tools, and stop it.

    Raises:
        FileError: It cannot be started or reached, or does not list its tools.
        click.Abort: Ctrl-C: the server has ended.
    """
    from rtfs_capability_mcp.asking import listed_once

    try:
        return anyio.run(listed_once, name, server, CapabilitySetSettings(base=base, environ=os.environ.get))
    except (KeyboardInterrupt, CancelledError):  # of asyncio's own, once all has ended; the latter before Python 3.11
        raise click.Abort from None


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


def _unfit(tools: Mapping[str, PinnedTool]) -> Iterator[tuple[str, str]]:
    """Yield the tools that would not be called, each with the reason."""
    for name, tool in tools.items():
        for key in ("inputSchema", "outputSchema"):
            why = too_much(tool.definition.get(key))
            if why is not None:
                yield name, why


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


def _toml(servers: Any, name: str, server: ServerSettings, kept: Mapping[str, Any], digest: str) -> Any:
    """Return the server's table with the new pins; the old one, where there is one: what is `kept` stays as written."""
    table = servers.get(name)
    if table is None:
        table = tomlkit.inline_table() if isinstance(servers, InlineTable) else tomlkit.table()
    for field in attrs.fields(ServerSettings):
        value = digest if field.name == "pinned" else getattr(server, field.name)
        if field.name in kept and kept[field.name] == value:
            continue
        default = {} if field.name == "env" else field.default
        if value == default:
            table.pop(field.name, None)
            continue
        value = list(value) if isinstance(value, tuple) else value
        if field.name not in table or table[field.name] != value:  # else its comment would go
            table[field.name] = _inline(value) if isinstance(value, Mapping) else value
    return table


def _inline(value: Mapping[str, Any]) -> InlineTable:
    made = tomlkit.inline_table()
    made.update(value)
    return made
