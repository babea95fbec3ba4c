"""What servers have besides tools, as capabilities: resources, prompts, and what they tell unasked.

Nothing of it is pinned: what is listed, read or made is data, like what a tool answers.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_capability_mcp.schemas import ANY
from rtfs_capability_mcp.settings import McpGrant, ServerSettings
from rtfs_framework.api import (
    CapabilityEntry,
    CapabilityError,
    CapabilityRequest,
    FailureKind,
    JsonError,
    Value,
    parse_type,
    to_json,
)

if TYPE_CHECKING:
    from rtfs_capability_mcp.starting import Started

Authorize = Callable[[str, CapabilityRequest, dict[str, Any]], None]
Ask = Callable[["Started", float], Awaitable[Value]]
Asking = Callable[[str, CapabilityRequest, bool, Ask], Awaitable[Any]]
"""Asks a server for a call, under its marks and its time; says whether its marks are kept."""


@attrs.frozen(slots=True, eq=False)
class Kinds:
    """Those of one server."""

    name: str
    server: ServerSettings
    authorize: Authorize
    asking: Asking

    def entries(self) -> Iterator[CapabilityEntry]:
        """Return what its table allows."""
        if self.server.resources:
            yield self._entry("mcp-resources", "Lists the resources of", self._list("resources"), (), ":any")
            yield self._entry("mcp-resource", "Reads, by its URI, a resource of", self._read, (":string",), None)
        if self.server.prompts:
            yield self._entry("mcp-prompts", "Lists the prompts of", self._list("prompts"), (), ":any")
            yield self._entry("mcp-prompt", "Makes, by its name, a prompt of", self._prompt, None, ":any")
        if self.server.events:
            takes = "[:map [:uris [:vector :string] ?] [:wait [:union :int :float] ?] [:most :int ?]]"
            gives = "[:map [:events [:vector :any]] [:lost :int]]"
            yield self._entry(
                "mcp-events",
                "What has told since it was last asked (log, progress, changes):",
                self._watch,
                (takes,),
                gives,
            )

    def _entry(
        self,
        kind: str,
        says: str,
        handler: Callable[[CapabilityRequest], Awaitable[Any]],
        takes: tuple[str, ...] | None,
        gives: str | None,
    ) -> CapabilityEntry:
        reads = self.server.trust_hints and kind != "mcp-events"
        return CapabilityEntry(
            id=f"{kind}.{self.name}",
            summary=f"{says} the MCP server {self.name!r}.",
            handler=handler,
            parameters=takes,
            returns=gives,
            effects=("network",) if self.server.url else ("process",),
            idempotent=reads,
            order_independent=reads,
            grant=McpGrant,
        )

    def _list(self, what: str) -> Callable[[CapabilityRequest], Awaitable[Any]]:
        async def listed(request: CapabilityRequest) -> Any:
            from rtfs_capability_mcp.results import listed_value

            self.authorize(request.id, request, {})

            async def ask(started: Started, seconds: float) -> Value:
                return listed_value(await started.listed(self.name, request.tenant, what, seconds), parse_type(ANY))

            return await self.asking(self.name, request, False, ask)

        return listed

    async def _read(self, request: CapabilityRequest) -> Any:
        from rtfs_capability_mcp.results import resource_value

        uri = request.args[0] if len(request.args) == 1 else None
        if not isinstance(uri, str):
            raise _wrong(f"{request.id} takes one text, the URI of a resource")
        self.authorize(request.id, request, {"uri": uri})

        async def ask(started: Started, seconds: float) -> Value:
            return resource_value(await started.read(self.name, request.tenant, uri, seconds), parse_type(ANY))

        return await self.asking(self.name, request, not self.server.trust_hints, ask)

    async def _prompt(self, request: CapabilityRequest) -> Any:
        from rtfs_capability_mcp.results import prompt_value

        name, given = _asked(request.args)
        if not name:
            raise _wrong(f'{request.id} takes the name of a prompt and a map of texts, such as "greet" {{:who "Ada"}}')
        if "prompt" in given:
            raise _wrong(f"{request.id}: no argument can be called 'prompt', for grants call the prompt so")
        self.authorize(request.id, request, {"prompt": name, **given})

        async def ask(started: Started, seconds: float) -> Value:
            return prompt_value(await started.prompt(self.name, request.tenant, name, given, seconds), parse_type(ANY))

        return await self.asking(self.name, request, not self.server.trust_hints, ask)

    async def _watch(self, request: CapabilityRequest) -> Any:
        from rtfs_capability_mcp.results import events_value, watching_of

        uris, most, wait = watching_of(request.id, request.args)
        for given in [{"uri": uri} for uri in uris] or [{}]:
            self.authorize(request.id, request, given)

        async def ask(started: Started, seconds: float) -> Value:
            found, lost = await started.watch(self.name, request.tenant, uris, most, wait, seconds)
            return events_value(found, lost, parse_type(ANY))

        return await self.asking(self.name, request, True, ask)


def _asked(args: tuple[Value, ...]) -> tuple[str, dict[str, str]]:
    """Return the name of a prompt and its arguments; no name where a call says something else."""
    if not 1 <= len(args) <= 2 or not isinstance(args[0], str):
        return "", {}
    try:
        given = to_json(args[1]) if len(args) > 1 else {}
    except JsonError:
        return "", {}
    if not isinstance(given, dict) or not all(isinstance(each, str) for each in given.values()):
        return "", {}
    return args[0], {name: str(value) for name, value in given.items()}


def _wrong(message: str) -> CapabilityError:
    return CapabilityError(message, "TypeValidationError", failure=FailureKind.FINAL)
