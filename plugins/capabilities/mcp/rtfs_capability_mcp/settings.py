"""The keys of `[capabilities.mcp]`, and what a grant of a tool says."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import attrs

from rtfs_framework.api import BadEndpoint, Bytes, Seconds, read_endpoint

SERVER_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
"""Without dots, so that the id `mcp.SERVER.TOOL` says which part is which."""
TAKEN = ("stream",)
"""`mcp.stream.*` are the published ids of streams."""
KINDS = ("mcp-resource", "mcp-resources", "mcp-prompt", "mcp-prompts", "mcp-events")
"""What else than tools a server has: `KIND.SERVER` is one capability."""
_SCALARS = (str, int, float, bool, type(None))


def _names(_: Any, field: attrs.Attribute[Any], value: Mapping[str, Any]) -> None:
    for name in value:
        if SERVER_NAME.fullmatch(name) is None:
            message = f"'{field.name}': {name!r} is no name of a server: small letters, digits, - and _, up to 64"
            raise ValueError(message)
        if name in TAKEN:
            message = f"'{field.name}': no server can be called {name!r}, for mcp.{name}.* is taken"
            raise ValueError(message)


def _positive(_: Any, field: attrs.Attribute[Any], value: float) -> None:
    if not value > 0:
        message = f"'{field.name}' must be more than 0"
        raise ValueError(message)


def _check_url(url: str, *, keyed: bool) -> None:
    try:
        endpoint = read_endpoint(url)
    except BadEndpoint as error:
        message = f"'url' {error}"
        raise ValueError(message) from None
    if keyed and not endpoint.keeps_secrets:
        raise ValueError("'url' must be https, or on this machine, where a token is sent to it")


@attrs.frozen(slots=True, kw_only=True)
class ServerSettings:
    """One server: `[capabilities.mcp.servers.NAME]`. It has either a `command` or a `url`."""

    command: tuple[str, ...] = ()
    """A program and its arguments, spoken to over its standard streams. No shell reads it."""
    env: Mapping[str, str] = attrs.field(factory=dict)
    """Variables of its environment, each with the name of the host's variable whose value it gets. It has these, PATH,
    and no others."""
    cwd: str = "."
    """Where it runs; relative to the folder of the configuration."""
    url: str = ""
    """Where it is reached by streamable HTTP."""
    token_env: str = ""
    """The host's variable whose value is sent as bearer token."""
    pinned: str = ""
    """The digest of its tools in `mcp.lock.json`; `rtfs capabilities add mcp` writes it."""
    protocol: Literal["auto", "legacy"] = "auto"
    """"legacy": it is greeted as servers were before 2026, without asking first what it speaks."""
    trust_hints: bool = False
    """Whether what it says of its tools (read-only, idempotent) counts. They are its own words, and nobody checks."""
    resources: bool = False
    """Whether its resources may be listed and read, as `mcp-resources.NAME` and `mcp-resource.NAME`, where that is
    granted."""
    prompts: bool = False
    """Whether its prompts may be listed and made, as `mcp-prompts.NAME` and `mcp-prompt.NAME`, where that is
    granted."""
    events: bool = False
    """Whether what it tells unasked (log, progress, changed resources) is heard, as `mcp-events.NAME`."""
    timeout: Seconds = attrs.field(default=Seconds(30.0), validator=_positive)
    """For one call; less where the call has less time."""
    start_timeout: Seconds = attrs.field(default=Seconds(20.0), validator=_positive)
    """Until it has started and listed its tools."""
    idle: Seconds = attrs.field(default=Seconds(300.0), validator=_positive)
    """It is stopped when it has not been called for so long."""
    most_bytes: Bytes = attrs.field(default=Bytes(4_194_304), validator=_positive)
    """Of one message, and of all that it says between two answers."""

    def __attrs_post_init__(self) -> None:
        """Refuse what reaches no server, or two."""
        if bool(self.command) == bool(self.url):
            raise ValueError("a server has either a 'command' or a 'url'")
        if self.url and self.env:
            raise ValueError("'env' is for a server with a 'command'")
        if self.token_env and not self.url:
            raise ValueError("'token_env' is for a server with a 'url'; name the variable in 'env'")
        if self.url:
            _check_url(self.url, keyed=bool(self.token_env))


@attrs.frozen(slots=True, kw_only=True)
class McpSettings:
    """The keys of `[capabilities.mcp]`."""

    servers: Mapping[str, ServerSettings] = attrs.field(factory=dict, validator=_names)
    """The servers, by names of your own."""


def _choices(_: Any, field: attrs.Attribute[Any], value: Mapping[str, Any] | None) -> None:
    for name, allowed in (value or {}).items():
        listed = isinstance(allowed, Sequence) and not isinstance(allowed, str)
        if allowed is not True and not (listed and all(isinstance(each, _SCALARS) for each in allowed)):
            message = f"'{field.name}.{name}' is a list of texts, numbers and booleans, or true for any value"
            raise ValueError(message)


@attrs.frozen(slots=True, kw_only=True)
class McpGrant:
    """What a table of `grant` says of a tool besides its `id`."""

    args: Mapping[str, Any] | None = attrs.field(default=None, validator=_choices)
    """By argument, the values that it may have, or true for any. Where it is given, a call has no other arguments, and
    has every one that is listed. Without it, all calls of the tool are granted."""

    def allows(self, arguments: Mapping[str, Any]) -> bool:
        """Tell whether a call with these arguments (JSON data, as they are sent) is granted."""
        if self.args is None:
            return True
        if any(name not in self.args for name in arguments):
            return False
        return all(
            allowed is True or (name in arguments and any(_same(arguments[name], each) for each in allowed))
            for name, allowed in self.args.items()
        )


def _same(one: object, other: object) -> bool:
    """Tell whether two scalars are one JSON value: 1 is not true, "1" is not 1; 1.0 is 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    return isinstance(one, _SCALARS) and one == other
